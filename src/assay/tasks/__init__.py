"""Task sources: one file each, the file name is the source's name."""
