"""Findings for a reader: one file each."""
