"""Numerical code that several scores, metrics and protocols share."""
