"""From the findings on single tasks to the comparison across them."""
