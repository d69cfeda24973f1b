"""Trains opened models with torch: one loop, for every kind of task and every modality."""
