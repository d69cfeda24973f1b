"""Persistent storage of results, features and predictions."""
