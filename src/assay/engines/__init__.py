"""Engines, which run evaluations: one file per engine."""
