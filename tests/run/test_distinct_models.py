"""One model under several addresses is one model, with a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.result import Status
from assay.run.study import Study

VECTORS = "good 1 0\nbad 0 1\nfilm 0.5 0.5\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "vec.txt").write_text(VECTORS)
    (tmp_path / "other.txt").write_text(VECTORS.replace("good 1", "good 2"))
    rows = [f"a {('bad', 'good')[row % 2]} film {row},{row % 2}" for row in range(40)]
    (tmp_path / "films.csv").write_text("\n".join(["text,label", *rows]))
    return tmp_path


def study(*models: str) -> Study:
    return Study(models=models, tasks=["films.csv"], methods=["knn"], store="store", control=False)


def test_spellings_of_one_path_are_one_model_with_a_note(folder: Path) -> None:
    spelt = ["vec.txt", "./vec.txt", str(folder / "vec.txt"), "~/vec.txt", "other.txt"]

    comparison = study(*(f"vectors:{name}" for name in spelt)).run()

    assert {cell.model for cell in comparison.cells} == {"vectors:vec.txt", "vectors:other.txt"}
    notes = [note for note in comparison.warnings if "is the same model as vectors:vec.txt" in note]
    assert len(notes) == 3
    assert "Vectors:" not in str(comparison)


def test_another_spelling_the_next_day_finds_what_was_done(folder: Path) -> None:
    first = study("vectors:vec.txt").run()
    again = study("vectors:./vec.txt")

    assert not again.left(again.plan()).jobs
    comparison = again.run()
    assert [(cell.model, cell.value) for cell in comparison.cells] == [
        ("vectors:./vec.txt", cell.value) for cell in first.cells
    ]
    assert [row.address for row in comparison.models] == ["vectors:./vec.txt"]


@pytest.mark.parametrize("other", ["hf:./m/", "hf:m", "hf:{folder}/m", "hf:~/m", "hf:./m(pretrained=True)"])
def test_spellings_of_a_folder_are_one_model(folder: Path, other: str) -> None:
    (folder / "m").mkdir()
    (folder / "m" / "config.json").write_text('{"model_type": "bert"}')

    ready = study("hf:./m", other.format(folder=folder)).plan()

    assert {str(evaluation.model) for evaluation in ready.evaluations} == {"hf:./m"}
    assert len(ready.notes) == ("pretrained" not in other)


def test_settings_and_contents_tell_models_apart(folder: Path) -> None:
    comparison = study("vectors:vec.txt", "vectors:vec.txt(pooling='sif')", "vectors:other.txt").run()

    assert len({cell.model for cell in comparison.cells}) == 3
    assert all(cell.status is Status.OK for cell in comparison.cells)
    assert comparison.warnings == ()
