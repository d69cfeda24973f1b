"""What of the machine and the network several parts share: caches, devices, offline, the hub's client."""
