from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assay.core.task import Task, TaskKind
from assay.testing.tasks import load_task

IMAGES = (
    "bccd_cells", "caltech101_20", "cifar10_small", "clothing10", "fashion_mnist_900", "omniglot_alphabets",
    "sign_digits",
)  # fmt: skip
TEXTS = (
    "banking77", "cr", "mpqa", "mr", "sms_spam", "snips_intents", "sst2", "trec6", "uci_sentiment_sentences",
)  # fmt: skip
TOKENS = ("snips_slots", "ud_ewt_pos", "wnut17_ner")


def count_splits(task: Task) -> dict[str, int]:
    """Count as the manifest does: val is there if it is official."""
    if any(note.startswith("There is no val split") for note in task.notes):
        return {"train": len(task.train) + len(task.val), "test": len(task.test)}
    return {"train": len(task.train), "val": len(task.val), "test": len(task.test)}


def find_entry(realdata: Path, name: str) -> dict[str, object]:
    sets = json.loads((realdata / "MANIFEST.json").read_text())["datasets"]
    entry: dict[str, object] = next(entry for entry in sets if entry["name"] == name)
    splits = entry["splits"]
    assert isinstance(splits, dict)
    entry["splits"] = {"val" if part == "validation" else part: count for part, count in splits.items()}
    return entry


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_folder_needs_no_settings(realdata: Path, name: str) -> None:
    entry = find_entry(realdata, name)

    task = load_task(f"folder:{realdata / 'datasets' / name}")

    assert count_splits(task) == entry["splits"]
    assert len(task.classes) == entry["n_classes"]


@pytest.mark.parametrize("name", TEXTS)
def test_a_table_of_texts_needs_no_settings(realdata: Path, name: str) -> None:
    entry = find_entry(realdata, name)
    lacking = {"cr": {"train": 0, "test": 4}, "mpqa": {"train": 0, "test": 3}}.get(name, {})  # empty texts

    task = load_task(f"table:{realdata / 'datasets' / name / 'data.tsv'}")

    counted = {part: count + lacking.get(part, 0) for part, count in count_splits(task).items()}
    assert counted == entry["splits"]
    assert len(task.classes) == entry["n_classes"]


@pytest.mark.parametrize("name", TOKENS)
def test_a_table_of_tagged_words_needs_no_settings(realdata: Path, name: str) -> None:
    entry = find_entry(realdata, name)

    task = load_task(f"table:{realdata / 'datasets' / name / 'data.tsv'}")

    assert task.kind is TaskKind.TOKENS
    assert count_splits(task) == entry["splits"]


def test_a_table_of_scored_pairs_is_regression(realdata: Path) -> None:
    task = load_task(f"table:{realdata / 'datasets' / 'sts_mix' / 'data.tsv'}")

    assert (task.kind, count_splits(task)) == (TaskKind.REGRESSION, {"train": 1832, "test": 750})
    assert np.ptp(task.train.labels.values) == 5.0
    assert isinstance(task.train.examples.read(0), tuple)


def test_a_labels_file_says_the_same_as_class_folders(realdata: Path) -> None:
    folder = realdata / "datasets" / "bccd_cells"

    assert (
        load_task(f"folder:{folder}(labels='labels.csv')").fingerprint
        == load_task(f"folder:{folder}").fingerprint
    )
