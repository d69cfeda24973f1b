from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.errors import UnreadableTask
from assay.readers.splits import Part
from assay.tasks.conll.files import TagColumns, Tagged, part_of_file, read_conll


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


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_bytes("größer ADJ\n".encode("latin-1"))

    with pytest.raises(UnreadableTask, match=r"a\.conll is not UTF-8"):
        list(read_conll(tmp_path / "a.conll", TagColumns(0, -1)))


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
