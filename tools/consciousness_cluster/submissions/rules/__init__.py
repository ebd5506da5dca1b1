"""What a submission is held to. Pack asks the same of a run, before it writes anything."""
