"""What Inspect AI runs of this benchmark, and its logs as our records. Importing this package needs no Inspect."""
