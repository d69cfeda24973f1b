"""Tables whose label is not a class: spans, chats, and files without labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core.errors import UnreadableTask
from assay.tasks.table import Table

SPANS = {
    "doccano": {"text": "Ada sings", "label": [[0, 3, "PERSON"]]},
    "doccano of relations": {"text": "Ada", "entities": [{"id": 1, "start_offset": 0, "end_offset": 3}]},
    "label studio": {"text": "Ada sings", "label": [{"start": 0, "end": 3, "labels": ["PERSON"]}]},
}
CHATS = {
    "messages": {"messages": [{"role": "user", "content": "hello"}]},
    "conversations": {"conversations": [{"from": "human", "value": "hello"}]},
}


def loaded(path: Path, row: dict[str, object]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for _ in range(12)))
    Table(str(path)).load("table:a.jsonl", seed=0)


@pytest.mark.parametrize("row", SPANS.values(), ids=SPANS)
def test_spans_of_characters_say_how_to_write_labelled_words(tmp_path, row):
    with pytest.raises(UnreadableTask, match=r"in a.jsonl contains spans of characters.*\"tags\""):
        loaded(tmp_path / "a.jsonl", row)


@pytest.mark.parametrize("row", CHATS.values(), ids=CHATS)
def test_chats_say_how_to_write_one_text_and_one_label(tmp_path, row):
    with pytest.raises(UnreadableTask, match=r"in a.jsonl contains chats.*\"label\""):
        loaded(tmp_path / "a.jsonl", row)


def hidden(folder: Path, head: str = "review", **settings: str) -> Table:
    rows = "".join(f"a film of number {number},{'good' if number % 2 else 'bad'}\n" for number in range(20))
    (folder / "train.csv").write_text(f"review,sentiment\n{rows}")
    (folder / "test.csv").write_text(f"{head}\n" + "a film\n" * 5)
    return Table(str(folder), **settings)


@pytest.mark.parametrize("settings", [{}, {"label": "sentiment"}])
def test_a_test_file_without_labels_is_named(tmp_path, settings):
    with pytest.raises(
        UnreadableTask, match=r"^test.csv: the label column 'sentiment' is missing.*train.csv"
    ):
        hidden(tmp_path, **settings).load("table:x", seed=0)


def test_a_column_that_only_one_file_has_is_left_out_beside_a_label_of_all(tmp_path):
    rows = "".join(f"a film of number {number},{number % 2}\n" for number in range(20))
    (tmp_path / "train.csv").write_text("review,label,source\n" + rows.replace("\n", ",web\n"))
    (tmp_path / "test.csv").write_text("review,label\n" + rows.replace("film", "play"))

    task = Table(str(tmp_path)).load("table:x", seed=0)

    assert len(task.test) == 20
