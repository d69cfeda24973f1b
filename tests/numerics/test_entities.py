from __future__ import annotations

import numpy as np
import pytest

from assay.core.task import LabelKind, Labels
from assay.metrics.entity_f1 import EntityF1
from assay.numerics.entities import entity_tags, names_entities

IOB2 = ["O", "B-PER", "I-PER", "I-PER", "O", "B-ORG", "B-PER", "I-PER", "O"]
WRONG = ["O", "B-PER", "I-PER", "I-PER", "O", "O", "B-PER", "O", "O"]  # one of three is right, two are named


def f1(truth: list[str], predicted: list[str]) -> float:
    classes = tuple(sorted({*truth, *predicted}))
    values = np.array([classes.index(tag) for tag in truth])
    labels = Labels(LabelKind.CLASSIFICATION, values, classes, np.array([5, 4]))
    return EntityF1()(labels, np.array([classes.index(tag) for tag in predicted]))


def ending(tags: list[str], middle: str, last: str, single: str) -> list[str]:
    """Return IOB2 tags in a scheme that marks ends and single words."""
    told = []
    for tag, after in zip(tags, [*tags[1:], "O"], strict=True):
        ends = not after.startswith("I")
        letter = {"B": single if ends else "B", "I": last if ends else middle}.get(tag[0], "O")
        told.append(letter + tag[1:])
    return told


@pytest.mark.parametrize(
    "translated",
    [
        lambda tags: tags,
        lambda tags: [tag.lower() for tag in tags],
        lambda tags: [tag.replace("-", "_") for tag in tags],
        lambda tags: ["-".join(reversed(tag.split("-"))) for tag in tags],
        lambda tags: ending(tags, "I", "E", "S"),
        lambda tags: ending(tags, "I", "L", "U"),
        lambda tags: ending(tags, "M", "E", "S"),
        lambda tags: ending(tags, "M", "E", "W"),
    ],
    ids=["IOB2", "small", "underscore", "suffix", "IOBES", "BILOU", "BMES", "BMEW"],
)
def test_entities_are_the_same_in_every_scheme(translated) -> None:
    assert f1(translated(IOB2), translated(IOB2)) == 1.0
    assert f1(translated(IOB2), translated(WRONG)) == pytest.approx(2 * 1 / (3 + 2))


def test_letters_without_a_type_mark_entities_of_one_type() -> None:
    truth, predicted = ([tag[0] for tag in tags] for tags in (IOB2, WRONG))

    assert f1(truth, predicted) == pytest.approx(2 * 1 / (3 + 2))


def test_words_cut_by_begin_and_end_are_entities() -> None:
    assert entity_tags(("B", "E", "M", "S")) is not None
    assert f1(list("BESBMESBE"), list("BESBMESBE")) == 1.0


@pytest.mark.parametrize(
    "tags", [("NOUN", "VERB"), ("O",), ("B-PER", "O", "X"), ("O", "PER"), ("S", "E", "N"), ("B-PER", "PER-I")]
)
def test_other_tags_are_no_entities(tags: tuple[str, ...]) -> None:
    assert not names_entities(tags)
