"""Searched studies: only the models that promise most for their cost are run."""
