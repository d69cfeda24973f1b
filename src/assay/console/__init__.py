"""How findings are set as text, in a terminal of any width."""
