"""Moments of features: additive statistics that scores and probes read instead of the features."""
