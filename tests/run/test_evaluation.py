"""What an evaluation adds to the results of methods."""

from __future__ import annotations

import pytest
from tests.tasks.imagenet_files import SYNSETS, pictures

from assay.core.result import Status
from assay.plugins.families import BUILT_IN
from assay.run.study import Study


@pytest.fixture
def notes(photos, tmp_path):
    study = Study(
        models=["zoo:colours(width=99)", "zoo:colours"],
        tasks=[str(photos)],
        methods=("logme", "linear_probe", "parameters"),
        store=tmp_path / "store",
    )
    return {(cell.model, cell.method): cell.notes for cell in study.run().cells}


def test_a_score_of_fewer_examples_than_features_says_so(notes):
    assert notes["zoo:colours(width=99)", "logme"] == ("fewer examples (54) than features (99)",)
    assert notes["zoo:colours", "logme"] == ()


def test_what_reads_no_features_of_train_does_not_say_so(notes):
    assert notes["zoo:colours(width=99)", "parameters"] == ()


def test_protocols_do_not_say_so(notes):
    assert notes["zoo:colours(width=99)", "linear_probe"] == notes["zoo:colours", "linear_probe"]


def test_a_source_whose_random_copy_raises_becomes_a_failed_row(photos, tmp_path, monkeypatch):
    def broken(self):
        raise RuntimeError("no random copy today")

    monkeypatch.setattr(BUILT_IN.models.load("zoo"), "untrained", broken)
    study = Study(
        models=["zoo:colours"], tasks=[str(photos)], methods=("kite", "logme"), store=tmp_path / "store"
    )

    cells = {cell.method: cell for cell in study.run().cells}

    assert cells["kite"].status is Status.FAILED
    assert "no random copy today" in cells["kite"].reason
    assert cells["logme"].status is Status.OK


def test_what_learns_is_skipped_where_there_is_no_train(tmp_path):
    for number, content in enumerate(list(pictures()[0].values())[::10]):
        (tmp_path / f"{SYNSETS[number]}_one.JPEG").write_bytes(content)
    methods = ("linear_probe", "logme", "parameters")
    study = Study(
        models=["zoo:colours"], tasks=[f"imagenet:{tmp_path}"], methods=methods, store=tmp_path / "store"
    )

    cells = {cell.method: cell for cell in study.run().cells}

    assert [cells[name].reason for name in methods[:2]] == ["the task has no train to learn from"] * 2
    assert cells["parameters"].status is Status.OK
