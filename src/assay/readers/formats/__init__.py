"""Formats of table files: each yields rows as batches of string columns."""
