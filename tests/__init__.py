"""The tests: a package, for ``python -m tests.reliability.fuzz``."""
