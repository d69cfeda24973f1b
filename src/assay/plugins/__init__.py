"""What plug-ins derive from, how they are named and found, and the settings that a user writes."""
