"""Runs studies: plans jobs, evaluates models and stores the results."""
