"""Task sources: one file per source, named after the source."""
