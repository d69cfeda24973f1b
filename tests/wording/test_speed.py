from __future__ import annotations

from assay.core.limits import NO_LIMITS, Limits
from assay.core.model import ModelFacts
from assay.findings.facts import ModelRow
from assay.wording.speed import latency_text, limited_by_unreliable, unreliable_latencies

FACTS = ModelFacts(8, 10, 10, 40, "3 x 224 x 224", "none", 0, "drawn", "a hash")


def row(model: str, warning: str = "") -> ModelRow:
    return ModelRow(model, "1", FACTS, 0.065, latency_warning=warning)


def test_a_latency_that_is_not_reliable_is_marked():
    assert latency_text(row("a")) == "65.0 ms"
    assert latency_text(row("a", "its runs vary")) == "65.0 ms (unreliable)"
    assert latency_text(ModelRow("a", "1", FACTS, None)) == latency_text(None) == ""


def test_models_with_an_unreliable_latency_are_named_with_one_reason():
    assert unreliable_latencies([row("a")]) == ""
    assert unreliable_latencies([row("a"), *(row(name, f"{name} varies") for name in "bcdef")]) == (
        "The latencies of b, c, d and 2 more are unreliable (b: b varies). 'assay measure STORE' measures "
        "again."
    )


def test_only_a_limit_on_latency_has_a_note():
    doubtful = [row("a", "its runs vary")]

    assert limited_by_unreliable(NO_LIMITS, doubtful) == ()
    assert limited_by_unreliable(Limits(max_latency_seconds=1), [row("a")]) == ()
    assert len(limited_by_unreliable(Limits(max_latency_seconds=1), doubtful)) == 1
