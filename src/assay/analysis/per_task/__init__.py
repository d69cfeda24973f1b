"""From results to the findings on one task."""
