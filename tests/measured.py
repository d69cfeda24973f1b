"""Which tests coverage measures: elsewhere it finds little more, and takes a quarter longer."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
OTHERS = (
    "architecture",
    "contracts",
    "encoders",
    "environment",
    "hub",
    "metrics",
    "models",
    "moments",
    "numerics",
    "protocols",
    "readers",
    "reports",
    "scores",
    "search",
    "tables",
    "tasks",
    "training",
    "wording",
    "workers",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Set no trace function where the test is of another folder than those that are measured."""
    tracer = sys.gettrace()
    measured = not any(item.path.is_relative_to(TESTS / name) for name in OTHERS)
    if tracer is None or measured or not item.config.getoption("cov_source", None):
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
