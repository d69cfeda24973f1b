"""Worker processes: a channel, a fork server, workers, and a pool of them."""
