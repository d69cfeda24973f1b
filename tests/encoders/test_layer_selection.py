"""Which hidden states are read."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from assay.core.errors import ModelError, UsageError
from assay.encoders.layer_selection import LAST, LayerSelection, Several

STATES = tuple(torch.full((1, 2, 3), float(layer)) for layer in range(4))


class Output(dict):
    last_hidden_state = torch.full((1, 2, 3), 9.0)


def values(selection: LayerSelection) -> list[float]:
    return [float(states.mean()) for states in selection.states(Output(hidden_states=STATES))]


def test_the_last_states_are_as_the_model_returns_them() -> None:
    assert values(LAST) == [9.0]
    assert LAST.arguments == {}


def test_layers_count_from_what_enters_the_first() -> None:
    assert values(LayerSelection(0)) == [0.0]
    assert values(LayerSelection(-1)) == [3.0]


def test_several_layers_are_their_mean_or_each() -> None:
    assert values(LayerSelection(Several.MEAN)) == [2.0]
    assert values(LayerSelection(Several.ALL)) == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("layer", "layers", "selected"),
    [(None, None, LAST), (-2, None, LayerSelection(-2)), ("best", None, LayerSelection(-1)), (None, 3, LAST)],
)
def test_settings_select_layers(
    layer: int | str | None, layers: int | None, selected: LayerSelection
) -> None:
    assert LayerSelection.of_settings(layer, layers) == selected


@pytest.mark.parametrize(("layer", "layers"), [("first", None), (None, "all"), (1, "mean")])
def test_other_settings_are_refused(layer: int | str | None, layers: str | None) -> None:
    with pytest.raises(UsageError):
        LayerSelection.of_settings(layer, layers)


def test_a_layer_that_is_missing_is_an_error_of_the_model() -> None:
    with pytest.raises(ModelError, match="this model has 3 layers"):
        values(LayerSelection(4))
    with pytest.raises(ModelError, match="does not show its layers"):
        LayerSelection(1).states(SimpleNamespace(get=lambda _: None))
