"""How files become examples: shared by the task sources."""
