"""Training and evaluation protocols: one file each, the file name is the protocol's name."""
