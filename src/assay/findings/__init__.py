"""The frozen values that analysis returns and reports show."""
