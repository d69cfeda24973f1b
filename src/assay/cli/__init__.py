"""The command line: main, and one command a file."""
