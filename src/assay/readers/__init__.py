"""Readers of example files, shared by the task sources."""
