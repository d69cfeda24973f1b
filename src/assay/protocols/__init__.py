"""Protocols, which train and predict: one file each, the file name is the protocol's name."""
