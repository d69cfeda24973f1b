"""The command line: the program, one file per command in commands/, and shared code."""
