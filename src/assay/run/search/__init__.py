"""A study that is searched: not every model is run, but those that promise most for their cost."""
