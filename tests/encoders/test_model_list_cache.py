"""What a library lists is asked for once, and again when the library changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from assay.encoders import model_list_cache as kept
from assay.encoders.model_list_cache import cached_listing


class Row(NamedTuple):
    licence: str
    side: int | None


class Wider(NamedTuple):
    licence: str
    side: int | None
    tag: str = "new"


@pytest.fixture
def library(tmp_path, monkeypatch) -> Path:
    """A file of a library that can be imported."""
    file: Path = tmp_path / "site" / "library_of_models" / "__init__.py"
    file.parent.mkdir(parents=True)
    file.write_text("SIDE = 224")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    return file


@pytest.fixture
def ask() -> Callable[..., list[object]]:
    """Ask in a new process, as it were: which answers came from the library itself."""

    def asked(row: type = Row, side: int | None = 224) -> list[object]:
        kept._state.cache_clear()
        kept._parsed.cache_clear()
        times: list[object] = []

        def read() -> dict[str, tuple[object, ...]]:
            times.append("asked")
            return {"net": row("mit", side), "net.v1": row("", None)}

        return [*times, cached_listing("library_of_models", row, read), *times]

    return asked


def test_a_library_is_asked_once_while_it_does_not_change(library, ask):
    first, second = ask(), ask(side=1)

    assert first == [{"net": Row("mit", 224), "net.v1": Row("", None)}, "asked"]
    assert second == first[:1]


def test_a_library_with_another_file_or_another_question_is_asked_again(library, ask):
    ask()
    library.with_name("models.py").write_text("a release has more models")

    assert ask(side=160) == [{"net": Row("mit", 160), "net.v1": Row("", None)}, "asked"]
    assert ask(Wider)[-1] == "asked"


@pytest.mark.parametrize("content", ["", "[1]", '{"net": 3}', '{"net": ["mit"]}', '{"net": '])
def test_a_damaged_file_is_made_again(library, ask, tmp_path, content):
    first = ask()
    file = next((tmp_path / "cache" / "listings").iterdir())
    file.write_text(content)

    assert ask() == first
    assert ask() == first[:1]


def test_a_library_that_is_imported_already_has_to_be_asked_itself(library, ask, monkeypatch):
    ask()
    monkeypatch.setitem(sys.modules, "library_of_models", sys)

    assert ask() == [{}]


def test_a_cache_that_cannot_be_written_costs_only_time(library, ask, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder would be")

    assert ask() == ask() == [{"net": Row("mit", 224), "net.v1": Row("", None)}, "asked"]
