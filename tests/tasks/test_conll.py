from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core.errors import UnreadableTask
from assay.core.task import Modality, TaskKind, Words
from assay.readers.splits import Part
from assay.tasks.conll import Conll, TagColumns, Tagged, part_of_file, read_conll
from assay.testing.tasks import load_task

TEXTS = [([f"name{number}", "runs", "."], ["B-x" if number % 3 else "O", "O", "O"]) for number in range(30)]


def write_conll(path: Path, texts: list[tuple[list[str], list[str]]]) -> None:
    lines = ["".join(f"{word} {tag}\n" for word, tag in zip(*text, strict=True)) for text in texts]
    path.write_text("\n".join(lines))


def test_a_file_is_cut_by_text(tmp_path: Path) -> None:
    write_conll(tmp_path / "all.conll", TEXTS)

    task = load_task(f"conll:{tmp_path / 'all.conll'}")

    assert (task.kind, task.modality, task.metric) == (TaskKind.TOKENS, Modality.TEXT, "entity_f1")
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

    assert (task.kind, task.classes) == (TaskKind.CLASSIFICATION, ("B-x", "O"))


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


def read(path: Path, text: str, word: int | None = None, tag: int | None = None) -> list[Tagged]:
    path.write_text(text, encoding="utf-8")
    return list(read_conll(path, TagColumns.of(path, word, tag)))


def test_empty_lines_part_texts_and_documents_are_passed_over(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\n\n. . O\n"

    assert read(tmp_path / "eng.conll", text) == [
        Tagged(("EU", "rejects"), ("B-ORG", "O"), "eng.conll line 3"),
        Tagged((".",), ("O",), "eng.conll line 7"),
    ]


def test_another_column_may_be_meant(tmp_path: Path) -> None:
    assert read(tmp_path / "a.conll", "EU NNP B-ORG\n", tag=1)[0].tags == ("NNP",)


def test_a_hash_is_a_word_and_a_line_of_text_is_not(tmp_path: Path) -> None:
    found = read(tmp_path / "a.iob", "# text = Oh no\n# id 7\n#\tO\n#wow\tB-x\r\n")

    assert found[0].words == ("#", "#wow")


def test_contractions_and_empty_nodes_have_no_tag(tmp_path: Path) -> None:
    row = "{}\t{}\t_\t{}\t_\t_\t0\troot\t_\t_\n"
    lines = [
        "# newdoc\n",
        row.format("1-2", "im", "_"),
        row.format("1", "in", "ADP"),
        row.format("2", "dem", "DET"),
    ]
    text = "".join([*lines, row.format("2.1", "x", "X")])

    found = read(tmp_path / "a.conllu", text)

    assert [(one.words, one.tags) for one in found] == [(("in", "dem"), ("ADP", "DET"))]


def test_words_with_a_space_are_kept_between_tabs(tmp_path: Path) -> None:
    assert read(tmp_path / "a.tsv", "1\u00a0000\tNUM\n New York\tPROPN\n")[0].words == (
        "1\u00a0000",
        "New York",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EU O\nrejects\n", "a.conll, line 2 has 1 columns; the first line has 2. Write a word and its tag"),
        ("EU\t\n", "a.conll, line 1 has no tag"),
        ("\tO\n", "a.conll, line 1 has no word"),
    ],
)
def test_a_line_without_word_or_tag_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UnreadableTask, match=message):
        read(tmp_path / "a.conll", text)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTask, match="has 2 columns, and none is number 5. Write column=0 to 1"):
        read(tmp_path / "a.conll", "EU O\n", tag=5)


def test_a_file_that_is_not_utf_8_is_read_and_noted(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_bytes("größer ADJ\r\n\r\n   \r\nHaus NOUN\r\n".encode("latin-1"))
    notes: list[str] = []

    texts = list(read_conll(tmp_path / "a.conll", TagColumns(0, -1), notes.append))

    assert [text.words for text in texts] == [("größer",), ("Haus",)]
    assert notes[0].startswith("a.conll is not UTF-8: it is read as ")


def test_tags_that_are_no_scheme_say_why_entities_are_not_judged(tmp_path: Path) -> None:
    text = "\n".join(f"Ada{row} {'PERSON' if row % 3 else 'B-ORG'}\nsings O\n" for row in range(12))
    (tmp_path / "a.conll").write_text(text)

    task = Conll(str(tmp_path / "a.conll")).load("conll:a.conll", seed=0)

    assert task.metric == "accuracy"
    assert task.notes[-1] == (
        "Words are judged by accuracy, not entities by F1: tags are not a scheme of entities such as O, "
        "B-PER, I-PER, as 'PERSON' is none."
    )


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train.txt", Part.TRAIN),
        ("en_ewt-ud-dev.conllu", Part.VAL),
        ("eng.testa", Part.VAL),
        ("eng.testb", Part.TEST),
        ("wnut17test.conll", None),
    ],
)
def test_a_file_name_tells_the_split(name: str, part: Part | None) -> None:
    assert part_of_file(Path(name)) is part
