"""The machine and the network: caches, devices, offline mode, the hub's client."""
