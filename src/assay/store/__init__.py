"""Where results, features and predictions are kept."""
