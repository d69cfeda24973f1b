import pytest

from assay.core.errors import UsageError
from assay.core.limits import NO_LIMITS, Limits
from assay.core.model import ModelFacts


def facts(parameters: int = 10, licence: str | None = "Apache-2.0", *, is_random: bool = False) -> ModelFacts:
    return ModelFacts(8, parameters, None, 4 * parameters, "", "", 0, "", "", licence, is_random)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("25M", 25e6),
        ("1.5b", 1.5e9),
        ("300 k", 3e5),
        (7, 7.0),
        ("25_000", 25000.0),
        ("1e6", 1e6),
        (None, None),
    ],
)
def test_sizes_are_read_as_people_write_them(written, number):
    assert Limits.of(max_parameters=written).max_parameters == number


@pytest.mark.parametrize(
    ("written", "seconds"), [("20ms", 0.02), ("0.5 s", 0.5), ("80us", 8e-5), (0.02, 0.02)]
)
def test_times_are_read_with_their_unit(written, seconds):
    assert Limits.of(max_latency=written).max_latency_seconds == seconds


@pytest.mark.parametrize(
    "limits",
    [{"max_parameters": "25X"}, {"max_latency": "20"}, {"max_latency": "-1ms"}, {"max_parameters": "M"}],
)
def test_what_cannot_be_read_says_what_to_write(limits):
    with pytest.raises(UsageError, match="Write a"):
        Limits.of(**limits)


def test_without_limits_nothing_is_refused():
    assert NO_LIMITS.refusal(facts(10**12, None), None) == ""


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_parameters=9), "more than 9 parameters"),
        (Limits(max_parameters=10), ""),
        (Limits(max_latency_seconds=0.02), "more than 20 ms"),
        (Limits(max_latency_seconds=0.03), ""),
        (Limits.of(licences=["MIT"]), "licence Apache-2.0"),
        (Limits.of(licences=["mit", "APACHE*"]), ""),
    ],
)
def test_a_refusal_says_which_limit(limits, reason):
    refusal = limits.refusal(facts(), 0.03)

    assert (reason in refusal) if reason else not refusal


def test_a_refusal_by_an_unreliable_latency_says_so():
    limits = Limits(max_latency_seconds=0.02)

    assert limits.refusal(facts(), 0.03, is_reliable=False) == (
        "left out: latency of more than 20 ms per example, by an unreliable measurement"
    )
    assert limits.refusal(facts(), 0.01, is_reliable=False) == ""


def test_what_is_not_known_is_refused():
    assert "could not be measured" in Limits(max_latency_seconds=1).refusal(facts(), None)
    assert "unknown licence" in Limits.of(licences=["mit"]).refusal(facts(licence=None), None)


def test_random_weights_need_no_licence():
    assert Limits.of(licences=["mit"]).refusal(facts(licence=None, is_random=True), None) == ""
