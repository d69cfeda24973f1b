"""Model sources: one file or folder per source, named after the source."""
