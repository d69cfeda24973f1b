"""A model library that is installed and does not run: what needs another one goes on, the rest says why."""

from __future__ import annotations

import re
import sys

import pytest

from assay.cli.main import main
from assay.core.errors import UsageError
from assay.plugins.families import families
from assay.run.catalogue import catalogue_of, listed
from assay.run.plan import model_address


@pytest.fixture(autouse=True)
def broken(monkeypatch):
    """Let the library of the source zoo fail while it is imported, beside one that runs."""
    from assay.models.packaged import PackagedSource

    def fail(*_: object) -> list[str]:
        raise AttributeError("module 'triton' has no attribute 'language'")

    monkeypatch.setattr(families().models.load("zoo"), "list_names", fail)
    two = {"packaged": lambda: PackagedSource, "zoo": families().models._loaders["zoo"]}
    monkeypatch.setattr("assay.plugins.families.BUILT_IN.models._known", two)


def test_a_name_without_a_source_is_looked_for_in_the_others():
    with pytest.raises(
        UsageError, match=r"'all_minilm_l6_v2' comes from\. Write source:name, as in 'packaged:"
    ):
        model_address("all_minilm_l6_v2")


def test_the_models_of_the_others_are_listed():
    assert {entry.address.partition(":")[0] for entry in listed()} == {"packaged"}


@pytest.mark.parametrize("ask", [lambda: list(listed(sources=["zoo"])), lambda: catalogue_of(["zoo:*"])])
def test_asking_for_its_own_models_says_why_there_are_none(ask):
    with pytest.raises(UsageError, match=r"'zoo' cannot list its models: AttributeError: module 'triton'"):
        ask()


@pytest.mark.parametrize(
    "arguments", [["list", "zoo"], ["list", "zoo:*"], ["list", "models", "--source", "zoo"]]
)
def test_commands_end_with_a_message(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["assay", *arguments])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 2
    assert re.match(r"assay: 'zoo' cannot list its models: .*install it again", capsys.readouterr().err)
