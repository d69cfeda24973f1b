"""The commands: one file each, called as the command is; it parses, calls the library, and prints."""
