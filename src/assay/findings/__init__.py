"""What analysis returns and reports show: frozen values."""
