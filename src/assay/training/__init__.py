"""Trains opened models with torch, with one loop for all task kinds and modalities."""
