"""Evaluations in workers: how they are sent, run there, and repeated after a crash."""
