"""Aliases and short names of models and tasks, as a person writes them."""

from __future__ import annotations

import csv
import io

import pytest

from assay.core.errors import UsageError
from assay.plugins.address import Address

QUICK = ("--method", "knn", "--seeds", "1")
MODELS = ("-m", "zoo:colours(alias='the old one')", "-m", "zoo:noisy")


def test_an_alias_names_a_model_and_a_task_everywhere(assay, photos):
    task = f"{photos}(alias='holidays')"
    _, screen, _ = assay("rank", task, *MODELS, *QUICK)
    details = assay("report", "assay-store", "--details")[1]
    compared = assay("compare", "the old one", "noisy", "--task", "holidays")
    gate = assay("gate", "noisy", "--baseline", "the old one", "--task", "holidays")

    assert screen.startswith("holidays: 90 images")
    assert "the old one " in screen
    assert "the old one" in details
    assert compared[0] == 0
    assert "holidays" in compared[1]
    assert gate[0] in {0, 1, 3}


def test_an_alias_is_in_no_key_so_nothing_runs_again_with_another(assay, photos, opened):
    assay("rank", str(photos), "-m", "zoo:colours", "-m", "zoo:noisy", *QUICK)
    opened.clear()
    _, screen, _ = assay("rank", f"{photos}(alias='mine')", *MODELS, *QUICK)

    assert opened == []
    assert "the old one " in screen
    assert "mine: " in assay("report", "assay-store")[1]
    assert "36" in next(line for line in screen.splitlines() if line.startswith("the old one"))
    assert assay("rank", str(photos), "-m", "zoo:colours", *QUICK)[1].count("the old one") == 0


def test_exported_tables_hold_no_path_of_this_machine(assay, photos, tmp_path):
    assay("rank", str(photos), *MODELS, *QUICK)
    for name in ("out.csv", "out.md", "out.tex", "out.yaml"):
        assay("export", "assay-store", name)

    texts = {path.suffix: path.read_text("utf-8-sig") for path in tmp_path.glob("out.*")}
    assert len(texts) == 4
    assert not any(str(tmp_path) in text for text in texts.values())
    assert {row["task"] for row in csv.DictReader(io.StringIO(texts[".csv"]))} == {"photos"}


@pytest.mark.parametrize("alias", ["''", "3", "None"])
def test_an_alias_is_a_string(alias):
    with pytest.raises(UsageError, match="Write a string, as in alias='resnet50'"):
        _ = Address.parse(f"timm:resnet18(alias={alias})").alias


def test_a_pattern_has_no_alias(assay, photos):
    code, _, err = assay("rank", str(photos), "-m", "zoo:*(alias='x')", *QUICK)

    assert code == 2
    assert "an alias names one" in err


def test_a_model_that_is_named_twice_runs_once_under_its_alias(assay, photos, opened):
    _, screen, _ = assay("rank", str(photos), "-m", "zoo:colours", *MODELS, *QUICK)

    assert opened.count("colours") == 1
    assert "the old one " in screen
