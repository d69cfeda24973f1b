"""How torch modules become models: shared by the model sources."""
