"""What is not a regular file where Assay keeps one: not waited for, not overwritten, and no traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from tests.reliability import stored

from assay.actions.saved_folder import SETTINGS, read_settings
from assay.core.catalogue import CatalogueEntry
from assay.core.errors import AssayError, UnreadableTask
from assay.core.features import Encoded
from assay.core.model import PixelInput
from assay.encoders.model_list_cache import _parsed, cached_listing
from assay.encoders.pixel_cache import PixelCache
from assay.encoders.pixels import PixelRecipe
from assay.models.vectors.word_vectors import open_vectors
from assay.readers.cache_database import MemoryFile, memory_path
from assay.run.hub_facts import with_hub_facts
from assay.run.manifest import read_manifest
from assay.run.past_tables import PastReading, past_tables_of
from assay.run.stored_comparison import compare_store
from assay.search.past import own_tables
from assay.store.results import Store, open_existing
from assay.tasks.table import Table

PRECIOUS = b"of the user" * 100
RECIPE = PixelRecipe(10, 8)


class Row(NamedTuple):
    """What a library lists of a name."""

    tag: str
    side: int


def _socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)
    os.chdir(before)


KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "socket": _socket,
    "folder": Path.mkdir,
    "full folder": lambda path: (path.mkdir(), (path / "file").write_bytes(PRECIOUS)),
    "loop": lambda path: path.symlink_to(path.name),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "full device": lambda path: path.symlink_to("/dev/full"),
    "empty": lambda path: path.write_bytes(b""),
    "junk": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "terabyte": lambda path: (path.touch(), os.truncate(path, 1 << 40)),
    "other JSON": lambda path: path.write_bytes(b'{"a": [1, [2]], "table": {"x": {"y": 1e999}}}'),
}


@pytest.fixture(autouse=True)
def not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache and a history of its own, and an end of waiting for a pipe."""
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    monkeypatch.setenv("ASSAY_HISTORY", str(tmp_path))
    monkeypatch.setenv("ASSAY_MAX_BYTES", "10MB")
    monkeypatch.setattr("assay.encoders.pixel_cache._LEFT", 0.0)

    def late(*_: object) -> None:
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield tmp_path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "suffix", ["csv", "tsv", "json", "jsonl", "txt", "xlsx", "parquet", "feather", "csv.gz"]
)
def test_a_table_without_an_end_is_refused(suffix, tmp_path):
    placed("terabyte", tmp_path / f"table.{suffix}")

    with pytest.raises(UnreadableTask, match=r"line of more than|Cannot read|damaged"):
        Table(str(tmp_path / f"table.{suffix}")).load("table:it", 0)


def placed(kind: str, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    KINDS[kind](path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["index", "pixels"])
def test_pixels_are_prepared_again(kind, ending, tmp_path):
    pixels = PixelInput(RECIPE.geometry, RECIPE.shape, RECIPE.apply, lambda array: Encoded(array, None))
    with closing(PixelCache(pixels)) as cache:
        cache.add([1, 2], np.ones((2, *RECIPE.shape), np.uint8))
    (path,) = (tmp_path / "pixels").glob(f"*.{ending}")
    placed(kind, path)
    rows = np.zeros((2, *RECIPE.shape), np.uint8)

    with closing(PixelCache(pixels)) as cache:
        assert cache.read([1, 2], rows) == [0, 1]
        cache.add([1, 2], np.ones((2, *RECIPE.shape), np.uint8))
        missing = cache.read([1, 2], rows)

    assert missing == [0, 1] or (rows == 1).all()


def test_pixels_are_not_written_to_the_file_behind_a_link(tmp_path):
    (tmp_path / "file").write_bytes(PRECIOUS)
    pixels = PixelInput(RECIPE.geometry, RECIPE.shape, RECIPE.apply, lambda array: Encoded(array, None))
    PixelCache(pixels).close()
    for path in (tmp_path / "pixels").iterdir():
        path.unlink()
        path.symlink_to(tmp_path / "file")

    with closing(PixelCache(pixels)) as cache:
        cache.add([1], np.ones((1, *RECIPE.shape), np.uint8))

    assert (tmp_path / "file").read_bytes() == PRECIOUS


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_read_again(kind):
    placed(kind, memory_path())

    with closing(MemoryFile()) as memory:
        memory.write("INSERT INTO found VALUES (?, ?)", [(b"key", b"content")])
        assert memory.read("SELECT content FROM found") in ([], [(b"content",)])


@pytest.mark.parametrize("kind", KINDS)
def test_libraries_are_asked_again(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("assay.encoders.model_list_cache._state", lambda *_: "state")
    _parsed.cache_clear()
    placed(kind, tmp_path / "listings" / "made_up-state.json")

    assert cached_listing("made_up", Row, lambda: {"a": Row("b", 3)}) == {"a": Row("b", 3)}


@pytest.mark.parametrize("values", [[1, 3], ["b", "3"], ["b", -3], ["b", None], ["b"], "bc", {"b": 3}])
def test_a_listing_of_other_types_is_not_used(values, tmp_path, monkeypatch):
    monkeypatch.setattr("assay.encoders.model_list_cache._state", lambda *_: "state")
    _parsed.cache_clear()
    (tmp_path / "listings").mkdir()
    (tmp_path / "listings" / "made_up-state.json").write_text(json.dumps({"a": values}))

    assert cached_listing("made_up", Row, lambda: {"a": Row("b", 3)}) == {"a": Row("b", 3)}


@pytest.mark.parametrize("kind", KINDS)
def test_models_are_listed_without_what_the_hub_said(kind, tmp_path):
    placed(kind, tmp_path / "hub_facts.json")
    entry = CatalogueEntry("timm:a", repository="timm/a")

    assert with_hub_facts(entry) == entry


@pytest.mark.parametrize("facts", [3, "x", [1], {"downloads": "many"}, {"bytes": -1}, {"licence": ["mit"]}])
def test_facts_of_the_hub_of_other_types_are_not_shown(facts, tmp_path):
    (tmp_path / "hub_facts.json").write_text(json.dumps({"timm/a": facts}))
    entry = CatalogueEntry("timm:a", repository="timm/a")

    assert with_hub_facts(entry) == entry


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "full folder"])
def test_word_vectors_are_converted_again(kind, tmp_path):
    (tmp_path / "words.txt").write_text("the 1 2\ncat 3 4\n")
    open_vectors(tmp_path / "words.txt", None)
    (path,) = (tmp_path / "vectors").iterdir()
    placed(kind, path)
    if kind == "folder":
        with pytest.raises(AssayError, match="ASSAY_CACHE"):
            open_vectors(tmp_path / "words.txt", None)
        return

    assert open_vectors(tmp_path / "words.txt", None).matrix.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("plan.json", lambda path: read_manifest(path.parent)),
        (SETTINGS, lambda path: read_settings(path.parent)),
        ("past.json", lambda path: past_tables_of(path, PastReading())),
    ],
)
def test_a_file_that_others_wrote_is_an_error_of_the_user(kind, name, read, tmp_path):
    placed(kind, tmp_path / name)

    with pytest.raises(AssayError):
        read(tmp_path / name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_history_is_read_without_what_is_no_file(kind, tmp_path):
    placed(kind, tmp_path / "past.json")

    assert own_tables() == ()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"empty", "link to nothing"}])
def test_a_file_of_results_that_is_none_is_an_error(kind, tmp_path):
    store = Path(shutil.copytree(stored.base(), tmp_path / "store"))
    placed(kind, store / "results.sqlite")

    for opened in (open_existing, Store):
        with pytest.raises(AssayError):
            opened(store)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["writer.lock", "results.sqlite-wal", "results.sqlite-shm"])
def test_a_file_of_sqlite_that_is_none_is_an_error_at_most(kind, name, tmp_path):
    store = Path(shutil.copytree(stored.base(), tmp_path / "store"))
    placed(kind, store / name)

    for opened in (open_existing, Store):
        try:
            with closing(opened(store)) as read:
                assert len(compare_store(read).cells) == 6
                if opened is Store:
                    with read.writing():
                        pass
        except AssayError:
            assert name != "writer.lock" or opened is Store
