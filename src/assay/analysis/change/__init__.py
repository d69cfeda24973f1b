"""One model compared with another: what changes, and whether it may replace it."""
