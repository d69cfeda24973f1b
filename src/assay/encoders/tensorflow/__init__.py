"""A process of its own for TensorFlow: how it starts, and how it is spoken with."""
