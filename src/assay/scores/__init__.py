"""Transferability scores: one file each, the file name is the score's name."""
