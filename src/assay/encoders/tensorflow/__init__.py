"""Runs TensorFlow models in separate processes: worker processes, their server, and the encoder."""
