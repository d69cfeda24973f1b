"""From results to findings."""
