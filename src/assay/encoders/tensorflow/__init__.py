"""Models in a process of TensorFlow's own: how it starts, what it answers, and the model as we see it."""
