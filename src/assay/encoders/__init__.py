"""Wraps torch modules as models; shared by the model sources."""
