"""Core types shared by all stages; they depend only on numpy and the standard library."""
