"""Contract tests for plug-in authors: derive a class, override one fixture."""
