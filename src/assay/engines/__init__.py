"""Where visits run: one file each."""
