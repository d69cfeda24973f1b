from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.errors import CheckpointError, ModelError, UnknownName, UsageError
from assay.core.task import Words
from assay.models.vectors import VectorsSource
from assay.models.vectors.word_vectors import open_vectors

WORDS = ("the", "fox", "do", "n't", "Paris", ",", "größer")
MATRIX = np.random.default_rng(0).normal(size=(len(WORDS), 4)).astype(np.float32).round(4)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))


def as_text(words: Sequence[str], matrix: np.ndarray, header: str = "", end: str = "\n") -> bytes:
    lines = [f"{word} {' '.join(f'{x:.9g}' for x in row)}" for word, row in zip(words, matrix, strict=True)]
    return (header + end.join(lines) + end).encode()


def as_word2vec(words: Sequence[str], matrix: np.ndarray) -> bytes:
    rows = [
        word.encode() + b" " + row.astype("<f4").tobytes() + b"\n"
        for word, row in zip(words, matrix, strict=True)
    ]
    return f"{len(words)} {matrix.shape[1]}\n".encode() + b"".join(rows)


FORMS: dict[str, Callable[[Sequence[str], np.ndarray], bytes]] = {
    "glove.txt": as_text,
    "word2vec.txt": lambda words, matrix: as_text(words, matrix, f"{len(words)} {matrix.shape[1]}\n"),
    "word2vec.bin": as_word2vec,
    "fasttext.vec": lambda words, matrix: as_text(words, matrix, f"{len(words)} {matrix.shape[1]}\n", " \n"),
    "glove.txt.gz": lambda words, matrix: gzip.compress(as_text(words, matrix)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["glove_6b_50d_5k", "word2vec_300d_1k"])
def test_real_vectors_come_back_from_each_format(
    realdata: Path, tmp_path: Path, form: str, name: str
) -> None:
    stored = np.load(realdata / "weights" / name / "vectors.npz")
    words, matrix = [str(word) for word in stored["words"]], stored["vectors"].astype(np.float32)
    path = tmp_path / form
    path.write_bytes(FORMS[form](words, matrix))

    vectors = open_vectors(path, None)

    assert list(vectors.words) == words
    np.testing.assert_allclose(vectors.matrix, matrix, atol=1e-7)
    np.testing.assert_array_equal(open_vectors(path, None).matrix, vectors.matrix)  # as kept


def test_what_is_kept_is_safetensors(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    (tmp_path / "v.txt").write_bytes(as_text(WORDS, MATRIX))
    open_vectors(tmp_path / "v.txt", None)

    kept = safetensors.load_file(next((tmp_path / "cache" / "vectors").iterdir()))

    np.testing.assert_allclose(kept["matrix"], MATRIX, atol=1e-6)
    assert kept["words"].tobytes().decode().split("\n") == list(WORDS)


def opened(path: Path, content: bytes, **settings: Any) -> Any:
    path.write_bytes(content)
    source = VectorsSource(str(path), **settings)
    source.check()
    return source.open("cpu")


def test_a_text_is_the_mean_of_its_words(tmp_path: Path) -> None:
    model = opened(tmp_path / "v.txt", as_text(WORDS, MATRIX))

    features = model.encode(["The fox, unseen", "Don't", "paris", "unseen", ""]).features

    np.testing.assert_allclose(features[0], MATRIX[[0, 1, 5]].mean(0), atol=1e-6)
    np.testing.assert_allclose(features[1], MATRIX[[2, 3]].mean(0), atol=1e-6)
    np.testing.assert_allclose(features[2], MATRIX[4], atol=1e-6)
    np.testing.assert_array_equal(features[3:], 0)


def test_each_labelled_word_is_its_vector_and_unknown_ones_are_counted(tmp_path: Path) -> None:
    model = opened(tmp_path / "v.txt", as_text(WORDS, MATRIX), pooling="sif")

    encoded = model.encode([Words(("The", "unseen", "fox")), Words(("don't", "?"))])

    expected = [MATRIX[0], np.zeros(4), MATRIX[1], MATRIX[[2, 3]].mean(0), np.zeros(4)]
    np.testing.assert_allclose(encoded.features, expected, atol=1e-6)
    assert encoded.unread == 2


def test_sif_weights_words_as_the_paper_does(tmp_path: Path) -> None:
    (tmp_path / "counts.txt").write_text("the 900\nfox 100\n")
    settings = {"pooling": "sif", "a": 1e-3, "counts": str(tmp_path / "counts.txt")}
    model = opened(tmp_path / "v.txt", as_text(WORDS, MATRIX), **settings)

    features = model.encode(["the fox"]).features

    weights = 1e-3 / (1e-3 + np.array([0.9, 0.1]))  # a / (a + p(word)), equation 3 of Arora et al., 2017
    np.testing.assert_allclose(features[0], (weights @ MATRIX[:2]) / 2, atol=1e-7)


def test_without_counts_frequent_words_weigh_less(tmp_path: Path) -> None:
    model = opened(tmp_path / "v.txt", as_text(WORDS, MATRIX), pooling="sif")

    first, last = (np.linalg.norm(model.encode([word]).features) for word in ("the", "größer"))

    assert first / np.linalg.norm(MATRIX[0]) < last / np.linalg.norm(MATRIX[-1])


def test_words_with_spaces_are_read(tmp_path: Path) -> None:
    model = opened(tmp_path / "v.txt", as_text(("the", ". . ."), MATRIX[:2]))  # as in GloVe 840B

    assert model.vectors.words == ("the", ". . .")


def test_a_word_that_comes_again_is_left_out_and_said(tmp_path: Path) -> None:
    model = opened(tmp_path / "v.txt", as_text(("fox", "the", "fox"), MATRIX[:3]))

    np.testing.assert_allclose(model.encode(["fox"]).features[0], MATRIX[0], atol=1e-6)
    assert "2 words, 1 that came again left out" in model.facts.weights


def test_a_header_with_a_smaller_count_is_noted(tmp_path: Path) -> None:
    model = opened(tmp_path / "v.txt", as_text(WORDS, MATRIX, "5 4\n"))

    assert "7 words; its header promises 5" in model.facts.weights


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (as_text(WORDS, MATRIX, "9 4\n"), r"promises 9 words .* there are 7.*limit=7"),
        (as_word2vec(WORDS, MATRIX)[:-30], r"promises 7 words .* there are 5.*limit=5"),
        (as_text(WORDS, MATRIX, "7 5\n"), r"Line 2.* not a word with 5 finite numbers, as its header has it"),
        (as_text(WORDS, MATRIX, "7 3\n"), r"Line 2.* not a word with 3 finite numbers, as its header has it"),
        (as_text(WORDS, MATRIX).replace(b"\n", b" 0.5\n", 3), r"Line 4 .* with 5 finite.* as its first line"),
        (as_text(WORDS, MATRIX).replace(b"Paris ", b"Paris 0.5 "), r"Line 5 .*'Paris 0\.5 .*limit=4"),
        (as_word2vec(WORDS, MATRIX).replace(b"7 4", b"7 3"), r"7 words with 3 numbers.*goes on behind"),
        (as_word2vec(WORDS, MATRIX).replace(b"7 4", b"7 5"), r"promises 7 words with 5 numbers.*there are 4"),
        (gzip.compress(as_text(WORDS, MATRIX) * 9)[:-60], r"compressed, and truncated or damaged.*Download"),
        (as_text(WORDS, MATRIX).replace(b"fox ", b"fox x"), r"Line 2 .*'fox x.*limit=1"),
        (as_text(WORDS, MATRIX)[:-12], r"Line 7 .*limit=6"),
        (as_text(WORDS, MATRIX * np.nan), r"Line 1 .* finite numbers.* 'the nan"),
        (b"PK\x03\x04", "zip archive. Unpack"),
        ((793712314).to_bytes(4, "little") + bytes(60), r"fastText with its subwords.*\.vec"),
        (b"hello\n", "not a file of word vectors: its first line is 'hello'"),
        (b"", "not a file of word vectors"),
    ],
    ids=["promises more", "truncated binary", "wider header", "narrower header", "longer first lines",
         "longer line", "narrower binary", "wider binary", "truncated gzip", "no number", "truncated text",
         "nan", "zip", "model", "no vectors", "empty"],
)  # fmt: skip
def test_a_bad_file_says_what_and_where(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(CheckpointError, match=told):
        opened(tmp_path / "v.txt", content)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_the_lines_before_a_bad_one_can_be_used(tmp_path: Path) -> None:
    model = opened(tmp_path / "v.txt", as_text(WORDS, MATRIX, "9 4\n")[:-12], limit=6)

    assert len(model.vectors.words) == 6


def test_a_cache_that_cannot_be_written_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "file"))

    with pytest.raises(ModelError, match="ASSAY_CACHE"):
        opened(tmp_path / "v.txt", as_text(WORDS, MATRIX))


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"pooling": "max"}, UnknownName),
        ({"a": 0.0}, UsageError),
        ({"limit": 0}, UsageError),
        ({"counts": "x"}, UsageError),
    ],
)
def test_a_wrong_setting_is_refused(
    tmp_path: Path, settings: dict[str, Any], error: type[UsageError]
) -> None:
    with pytest.raises(error):
        opened(tmp_path / "v.txt", as_text(WORDS, MATRIX), **settings)


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path: Path) -> None:
    plain = as_text(["alpha", "beta"], MATRIX[:2])
    marked = opened(tmp_path / "marked.vec", b"\xef\xbb\xbf" + plain)

    np.testing.assert_array_equal(marked.encode(["alpha"]).features[0], MATRIX[0])


def test_texts_without_a_known_word_are_counted(tmp_path: Path) -> None:
    model = opened(tmp_path / "a.vec", as_text(["alpha", "beta"], MATRIX[:2]))

    assert model.encode(["alpha", "猫が好き", "😀"]).unread == 2
    assert model.encode([("alpha", "猫"), ("猫", "犬")]).unread == 1
