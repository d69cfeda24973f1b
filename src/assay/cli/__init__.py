"""The command line: the program, one command a file in commands/, and what commands share."""
