"""Search of a large zoo: what past tasks predict, which model to try next, and a bound on what is missed."""
