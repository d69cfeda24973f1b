from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core.errors import UnreadableTask
from assay.core.task import Kind, Modality, Words
from assay.testing.tasks import load_task

TEXTS = [([f"name{number}", "runs", "."], ["B-x" if number % 3 else "O", "O", "O"]) for number in range(30)]


def write_conll(path: Path, texts: list[tuple[list[str], list[str]]]) -> None:
    lines = ["".join(f"{word} {tag}\n" for word, tag in zip(*text, strict=True)) for text in texts]
    path.write_text("\n".join(lines))


def test_a_file_is_cut_by_text(tmp_path: Path) -> None:
    write_conll(tmp_path / "all.conll", TEXTS)

    task = load_task(f"conll:{tmp_path / 'all.conll'}")

    assert (task.kind, task.modality, task.metric) == (Kind.TOKENS, Modality.TEXT, "entity_f1")
    assert task.classes == ("B-x", "O")
    assert [len(task.train), len(task.val), len(task.test)] == [18, 6, 6]
    assert [len(task.train.labels), task.train.labels.examples] == [54, 18]
    assert isinstance(task.train.examples.read(0), Words)


def test_files_named_by_split_are_kept(tmp_path: Path) -> None:
    for name, texts in (("train", TEXTS[:20]), ("dev", TEXTS[20:24]), ("test", TEXTS[24:])):
        write_conll(tmp_path / f"en-{name}.iob2", texts)

    task = load_task(f"conll:{tmp_path}")

    assert [len(task.train), len(task.val), len(task.test)] == [20, 4, 6]
    assert task.test.examples.name(0).startswith("en-test.iob2 line ")


def test_what_was_taken_as_words_and_tags_is_shown(tmp_path: Path) -> None:
    write_conll(tmp_path / "all.conll", TEXTS)

    (note,) = load_task(f"conll:{tmp_path / 'all.conll'}").notes

    assert (
        note
        == "Words and tags begin name0/O runs/O ./O: write column=1, for example, if other tags are meant."
    )
    assert load_task(f"conll:{tmp_path / 'all.conll'}(column=-1)").notes == ()


@pytest.mark.parametrize("form", ["jsonl", "tsv"])
def test_a_table_of_words_is_the_same_task(tmp_path: Path, form: str) -> None:
    write_conll(tmp_path / "all.conll", TEXTS)
    if form == "jsonl":
        rows = [json.dumps({"words": words, "tags": tags}) for words, tags in TEXTS]
    else:
        rows = ["tokens\tner_tags", *(f"{' '.join(words)}\t{' '.join(tags)}" for words, tags in TEXTS)]
    (tmp_path / f"all.{form}").write_text("\n".join(reversed(rows) if form == "jsonl" else rows))

    task, other = load_task(f"conll:{tmp_path / 'all.conll'}"), load_task(f"table:{tmp_path / f'all.{form}'}")

    assert other.fingerprint == task.fingerprint
    assert other.test.examples.read(0) == task.test.examples.read(0)
    assert other.test.labels.values.tolist() == task.test.labels.values.tolist()


def test_texts_may_be_limited(tmp_path: Path) -> None:
    write_conll(tmp_path / "all.conll", TEXTS)

    task = load_task(f"conll:{tmp_path / 'all.conll'}(limit=15)")

    assert [len(task.train), len(task.val), len(task.test)] == [9, 3, 3]


def test_a_row_with_more_words_than_tags_is_named(tmp_path: Path) -> None:
    rows = [json.dumps({"tokens": words, "tags": tags}) for words, tags in TEXTS]
    rows[6] = json.dumps({"tokens": ["one", "two"], "tags": ["O"]})
    (tmp_path / "a.jsonl").write_text("\n".join(rows))

    with pytest.raises(UnreadableTask, match=r"a\.jsonl, row 7: 2 words in 'tokens' and 1 tags in 'tags'"):
        load_task(f"table:{tmp_path / 'a.jsonl'}")


def test_a_row_without_words_is_left_out_and_noted(tmp_path: Path) -> None:
    rows = [json.dumps({"tokens": words, "tags": tags}) for words, tags in [*TEXTS, ([], [])]]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))

    assert load_task(f"table:{tmp_path / 'a.jsonl'}").notes[-1] == (
        "1 of 31 rows have an empty cell in 'tokens' (first: row 31) and are left out."
    )


def test_one_label_of_each_text_may_be_meant(tmp_path: Path) -> None:
    rows = [json.dumps({"tokens": words, "tags": tags, "intent": tags[0]}) for words, tags in TEXTS]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))

    task = load_task(f"table:{tmp_path / 'a.jsonl'}(text='tokens', label='intent')")

    assert (task.kind, task.classes) == (Kind.CLASSIFICATION, ("B-x", "O"))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), "has no files called train, val or test. Rename its 0 CoNLL files"),
        (("one.conll", "two.conll"), "Rename its 2 CoNLL files, or name one"),
    ],
)
def test_a_folder_without_splits_says_what_to_do(
    tmp_path: Path, files: tuple[str, ...], message: str
) -> None:
    for name in files:
        write_conll(tmp_path / name, TEXTS)

    with pytest.raises(UnreadableTask, match=message):
        load_task(f"conll:{tmp_path}")


def test_nothing_there_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("\n\n")

    with pytest.raises(UnreadableTask, match=r"There is no word in a\.conll"):
        load_task(f"conll:{tmp_path / 'a.conll'}")
    with pytest.raises(UnreadableTask, match="There is no file or folder"):
        load_task(f"conll:{tmp_path / 'b.conll'}")
