"""Where evaluations run: one file each."""
