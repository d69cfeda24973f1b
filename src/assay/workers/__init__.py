"""Processes that work for this one: a channel, a fork server, workers, and a pool of them."""
