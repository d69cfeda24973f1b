"""The commands: one file each, with the name of the command; it parses, calls the library, and prints."""
