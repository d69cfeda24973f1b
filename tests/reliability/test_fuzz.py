"""A few inputs of the fuzzer for every reader; ``python -m tests.reliability.fuzz`` tries 20,000."""

import pytest
from tests.reliability.fuzz import tried
from tests.reliability.readers import READERS

_SLOW = {"model"}  # it lists the models of every framework


@pytest.mark.parametrize(
    "reader", [one for one in READERS if one.name not in _SLOW], ids=lambda one: one.name
)
def test_no_hostile_input_ends_in_a_traceback(reader):
    count = tried(reader, inputs=12, with_seed=7)

    assert not count.faults
    assert count.tried == 12


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.name)
def test_no_hostile_input_of_a_thousand_ends_in_a_traceback(reader):
    count = tried(reader, inputs=1000, with_seed=11)

    assert not count.faults
