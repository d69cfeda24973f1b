"""Search of a large zoo: what past tasks say about models, what to try next, and what may be missed."""
