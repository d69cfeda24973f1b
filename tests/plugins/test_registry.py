"""Finding plug-ins and making them from what a user wrote."""

from __future__ import annotations

import sys

import pytest

from assay.core.errors import AssayError, MissingPackage, UnknownName, UsageError
from assay.plugins.address import Address
from assay.plugins.families import BUILT_IN
from assay.plugins.method import Score
from assay.plugins.registry import Registry, only_member
from assay.plugins.settings import all_settings


def test_the_file_name_is_the_name():
    assert BUILT_IN.scores.load("logme").__module__ == "assay.scores.logme"


def test_names_are_known_without_importing_anything(monkeypatch):
    monkeypatch.delitem(sys.modules, "assay.models.timm", raising=False)

    assert "timm" in Registry("models", BUILT_IN.models.base, "model source").names()
    assert "assay.models.timm" not in sys.modules


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(UnknownName, match="No score called 'logmee'. Did you mean: logme"):
        BUILT_IN.scores.load("logmee")


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)

    with pytest.raises(MissingPackage, match=r"pip install 'model-assay\[timm\]'"):
        BUILT_IN.models.load("timm")


def test_an_unknown_setting_gets_a_suggestion():
    with pytest.raises(UnknownName, match="No setting of 'knn' called 'kk'"):
        BUILT_IN.protocols.create(Address.parse("knn(kk=5)"))


def test_a_setting_of_the_wrong_type_says_what_to_write():
    with pytest.raises(
        UsageError, match=r"Setting 'k' of 'knn\(k='five'\)' is 'five'; it must be an integer"
    ):
        BUILT_IN.protocols.create(Address.parse("knn(k='five')"))


def test_true_is_not_an_integer():
    with pytest.raises(UsageError, match="must be an integer"):
        BUILT_IN.protocols.create(Address.parse("knn(k=True)"))


def test_a_key_sees_defaults_too():
    assert all_settings(BUILT_IN.protocols.create(Address.parse("knn(k=5)")).plugin)["k"] == 5
    assert "k" in all_settings(BUILT_IN.protocols.create(Address.parse("knn")).plugin)


def test_a_name_that_is_taken_is_an_error():
    with pytest.raises(UsageError, match="There is a score called 'logme' already"):
        BUILT_IN.scores.add("logme", BUILT_IN.scores.load("logme"))


def test_a_module_with_no_member_is_an_error():
    with pytest.raises(AssayError, match="must define exactly one"):
        only_member(sys, BUILT_IN.models.base)


PLUGIN = """
from dataclasses import dataclass
from assay.plugins.method import MomentScore

@dataclass(frozen=True, slots=True)
class Mine(MomentScore):
    def __call__(self, train):
        return 1.0
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package that has the score 'mine' under a name; return how."""

    def install(name: str) -> Registry[Score]:
        folder = tmp_path / "mine-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[assay.scores]\n{name} = my_scores\n")
        (tmp_path / "my_scores.py").write_text(PLUGIN)
        monkeypatch.syspath_prepend(str(tmp_path))
        return Registry("scores", Score, "score")

    return install


def test_an_entry_point_of_another_package_is_a_member(installed):
    scores = installed("mine")

    assert scores.create(Address.parse("mine")).plugin(None) == 1.0


def test_an_entry_point_with_a_name_that_is_taken_is_an_error(installed):
    with pytest.raises(UsageError, match="Two scores are called 'logme'"):
        installed("logme").names()
