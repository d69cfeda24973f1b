"""Readers of leaderboards and of tables of scores."""
