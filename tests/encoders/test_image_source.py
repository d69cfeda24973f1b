"""What sources of published image models share."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from assay.core.errors import UsageError
from assay.core.model import Model
from assay.encoders.identity import Origin
from assay.encoders.image_source import ImageSource


@dataclass(frozen=True, slots=True)
class Source(ImageSource):
    def check(self) -> None:
        self.check_settings()

    def identity(self) -> str:
        return self.name

    def open(self, device: str) -> Model:
        raise NotImplementedError


def test_random_weights_are_others_each_time() -> None:
    first = Source("net", checkpoint="weights.pth", image_size=32).untrained()

    assert first == Source("net", pretrained=False, seed=1, image_size=32)
    assert first.untrained() == Source("net", pretrained=False, seed=2, image_size=32)


def test_the_origin_is_that_of_the_weights() -> None:
    published = Origin("hub: net", "MIT")

    assert Source("net").origin(published) == published
    assert Source("net", checkpoint="weights.pth").origin(published) == Origin("weights.pth")
    assert Source("net", pretrained=False, seed=3).origin(published).is_random


def test_only_untouched_weights_are_published() -> None:
    assert Source("net").is_published
    assert not Source("net", pretrained=False).is_published
    assert not Source("net", checkpoint="weights.pth").is_published


@pytest.mark.parametrize(
    ("setting", "value"),
    [("checkpoint", "missing.pth"), ("image_size", 0), ("rename", (("a",),)), ("crop", 2.0)],
)
def test_settings_that_cannot_be_are_refused(setting: str, value: object) -> None:
    with pytest.raises(UsageError):
        Source("net", **{setting: value}).check()
