from __future__ import annotations

from pathlib import Path

import pytest

from assay.models.features import FeaturesSource
from assay.plugins.families import BUILT_IN
from assay.plugins.user_code import identity_of_source, imported_beside

SOURCE = """
from dataclasses import dataclass

from assay.plugins import Modality, ModelSource
import constants_beside
from package_beside import shift


@dataclass(frozen=True, slots=True)
class Constant(ModelSource):
    def check(self): ...
    def modality(self): return Modality.IMAGE
    def identity(self): return "constant"
    def open(self, device): raise NotImplementedError
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "package_beside").mkdir()
    (tmp_path / "package_beside" / "__init__.py").write_text("")
    (tmp_path / "package_beside" / "shift.py").write_text("from . import inner\nBY = 1\n")
    (tmp_path / "package_beside" / "inner.py").write_text("")
    (tmp_path / "constants_beside.py").write_text("WIDTH = 3\n")
    (tmp_path / "unrelated.py").write_text("")
    (tmp_path / "constant_source.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def identity(folder: Path) -> str:
    member = BUILT_IN.with_files([folder / "constant_source.py"]).models.load("constant_source")
    return identity_of_source(member("x"))


@pytest.mark.parametrize(
    "edited",
    ["constant_source.py", "constants_beside.py", "package_beside/shift.py", "package_beside/inner.py"],
)
def test_an_edit_of_a_source_or_of_what_it_imports_beside_it_is_another_model(
    folder: Path, edited: str
) -> None:
    before = identity(folder)
    file = folder / edited
    file.write_text(file.read_text() + "\n# edited\n")

    assert identity(folder) != before


def test_an_edit_of_another_file_changes_nothing(folder: Path) -> None:
    before = identity(folder)
    (folder / "unrelated.py").write_text("# edited\n")

    assert before.startswith("constant code ")
    assert identity(folder) == before


def test_sources_and_code_of_packages_are_known_by_their_versions(tmp_path: Path) -> None:
    (tmp_path / "features.npz").write_bytes(b"")
    source = FeaturesSource(str(tmp_path / "features.npz"))

    assert identity_of_source(source) == source.identity()
    assert imported_beside(Path(pytest.__file__), Path(pytest.__file__).parent.parent) == ()
