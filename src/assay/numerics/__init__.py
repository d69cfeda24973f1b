"""What several scores and protocols compute alike."""
