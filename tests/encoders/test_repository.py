"""Where the files of a model are, and what they say about it; nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.errors import ModelError, UsageError
from assay.encoders.repository import Location, Repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def test_a_name_of_the_hub_may_have_a_revision() -> None:
    assert Repository("hf", "org/name").location == Location("org/name", None)
    assert Repository("hf", "org/name@v1").location == Location("org/name", "v1")


def test_a_folder_is_a_location_without_a_revision(folder: Path) -> None:
    repository = Repository("hf", str(folder))

    repository.check()

    assert repository.is_local
    assert repository.location == Location(str(folder), None)


def test_a_folder_without_a_model_is_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no 'config\.json' in"):
        Repository("hf", str(tmp_path)).check()


def test_the_content_of_a_folder_changes_with_its_files(folder: Path) -> None:
    before = Repository("hf", str(folder)).content()
    (folder / "weights").write_text("1")

    assert Repository("hf", str(folder)).content() != before


def test_the_licence_is_that_of_the_model_card(folder: Path) -> None:
    pytest.importorskip("huggingface_hub")
    without = Repository("hf", str(folder)).origin()
    (folder / "README.md").write_text("---\nlicense: mit\n---\nA model.\n")

    assert without.licence is None
    assert Repository("hf", str(folder)).origin().licence == "mit"


def test_whatever_stops_the_opening_names_the_model(folder: Path) -> None:
    message = r"Model 'hf:.*' cannot be opened: KeyError: 'x'"

    with pytest.raises(ModelError, match=message), Repository("hf", str(folder)).opening():
        raise KeyError("x")
