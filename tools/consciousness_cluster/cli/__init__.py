"""The command line: parsing of arguments and printing. What the verbs do is done below this folder."""
