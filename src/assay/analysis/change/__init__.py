"""Comparison of two models: what changes if one replaces the other, and whether it may."""
