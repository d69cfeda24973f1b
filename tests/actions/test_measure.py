"""What ``assay measure`` measures, in which order, and what it does about models that fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import Zoo

from assay.actions.measure import MeasuredModel, measure, named_models
from assay.core.errors import StoreError, UnknownName, UsageError
from assay.core.model import Model, ModelFacts
from assay.core.result import Opened, Speed
from assay.findings.facts import ModelRow
from assay.store.results import Store

FACTS = ModelFacts(12, 36, 36, 144, "3 x any x any", "mean colour / 255", 0, "drawn", "a hash")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that knows some models, none of which has been measured."""
    store = Store(tmp_path / "store")
    for name in ("colours", "headed", "greedy", "broken"):
        address = f"zoo:{name}"
        store.add_model(Opened(address, Zoo(name=name).identity(), FACTS))
    return store


def measured(store: Store, *names: str, rounds: int = 2) -> dict[str, MeasuredModel]:
    results = measure(store, named_models(store, names), rounds, "cpu", lambda *_: None)
    return {one.model.address: one for one in results}


def test_models_take_turns_in_rounds(store):
    seen = []

    models = named_models(store, ["zoo:headed", "zoo:col*"])
    measure(store, models, 2, "cpu", lambda model, number: seen.append((model, number)))

    assert seen == [("zoo:colours", 1), ("zoo:headed", 1), ("zoo:colours", 2), ("zoo:headed", 2)]


def test_every_round_is_stored_with_what_makes_it_credible(store):
    store.add_speed("zoo:colours", Zoo(name="colours").identity(), Speed(5.0, machine="old"))

    result = measured(store, "zoo:colours", rounds=3)["zoo:colours"]

    kept = [one for one in store.measurements() if one.speed.machine != "old"]
    assert [one.speed for one in kept] == list(result.rounds)
    assert len(result.rounds) == 3
    assert all(one.measured and one.speed.latency_seconds and one.speed.throughput for one in kept)
    assert result.model.latency_seconds == min(speed.latency_seconds for speed in result.rounds)


def test_nothing_else_of_the_store_changes(store):
    before = [(row.address, row.identity, row.facts) for row in store.models()]

    measured(store)

    assert [(row.address, row.identity, row.facts) for row in store.models()] == before
    assert store.results() == ()


def test_a_model_that_fails_has_a_reason_and_is_not_tried_again(store):
    Zoo.opened.clear()

    results = measured(store)

    assert results["zoo:broken"].failure.startswith("its weights are missing")
    assert results["zoo:greedy"].failure == "MemoryError: no message"
    assert (Zoo.opened.count("broken"), Zoo.opened.count("greedy")) == (1, 1)
    assert [len(results[f"zoo:{name}"].rounds) for name in ("colours", "headed")] == [2, 2]


def test_a_model_that_fails_later_keeps_what_was_measured(store, monkeypatch):
    opens, often = Zoo.open, iter((True, True))

    def open_twice(source: Zoo, device: str) -> Model:
        next(often)
        return opens(source, device)

    monkeypatch.setattr(Zoo, "open", open_twice)

    result = measured(store, "zoo:colours", rounds=3)["zoo:colours"]

    assert (len(result.rounds), result.failure) == (2, "StopIteration: no message")
    assert len(store.measurements()) == 2


def test_a_model_of_a_plug_in_that_is_not_there_has_a_reason(store):
    store.add_model(Opened("mine:a", "mine", FACTS))

    assert "called 'mine'" in measured(store, "mine:a")["mine:a"].failure


def test_a_model_that_has_changed_since_the_study_is_not_measured(store):
    store.add_model(Opened("zoo:colours", "of an earlier version", FACTS))

    result = measured(store, "zoo:colours")["zoo:colours"]

    assert "run the study again" in result.failure
    assert store.measurements() == ()


def test_a_name_that_is_not_in_the_store_is_an_error(store, tmp_path):
    with pytest.raises(UnknownName, match="Did you mean: colours"):
        named_models(store, ["zoo:colour"])
    with pytest.raises(UsageError, match="has no models"):
        named_models(Store(tmp_path / "empty"), [])


def test_no_other_process_writes_meanwhile(store):
    with Store(store.root).writing(), pytest.raises(StoreError):
        measured(store, "zoo:colours")


def test_the_spread_is_over_rounds():
    row = ModelRow("zoo:colours", "1", FACTS, None)
    one = MeasuredModel(row, (Speed(0.2), Speed(0.1), Speed(None)))

    assert one.spread == pytest.approx(1.0)
    assert replace(one, rounds=(Speed(0.2),)).spread is None
