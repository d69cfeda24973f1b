"""A study on GLUE answers the hidden test sets, in the files that the leaderboard takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tasks.glue_files import FIRST, NLI, TEST, write_glue, write_glue_test

import assay
from assay.actions.submit import Entrant, Written, lacking, submit
from assay.core.errors import UnreadableTask, UsageError
from assay.plugins.protocol import Protocol
from assay.plugins.registry import Named
from assay.run.plan import resolve_methods, resolve_models
from assay.store.results import open_existing

# the number that stands in a text decides its label in the files that these tests write
READER = """
import re
import torch
from torch import nn

class Number(nn.Module):
    def __init__(self):
        super().__init__()
        self.places = nn.ParameterList([nn.Parameter(torch.eye(count)) for count in (2, 3, 11)])

    def forward(self, texts):
        numbers = torch.tensor([int((re.findall(r"[0-9]+", text) or [0])[0]) for text in texts])
        return torch.cat([places[numbers % len(places)] for places in self.places], dim=1)
"""
MODEL = "torch:glue_reader:Number(reads='text')"
TASKS = ("cola", "sst2", "mrpc", "stsb", "qqp", "mnli_matched", "qnli", "rte", "wnli")
ENTAILMENT = ("entailment", "not_entailment")
LABELS = {
    "CoLA": ("0", "1"), "SST-2": ("0", "1"), "MRPC": ("0", "1"), "QQP": ("0", "1"), "WNLI": ("0", "1"),
    "QNLI": ENTAILMENT, "RTE": ENTAILMENT, "MNLI-m": NLI, "MNLI-mm": NLI, "AX": NLI,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with GLUE, a module that reads numbers, and the store of a study of all tasks."""
    folder = tmp_path_factory.mktemp("glue")
    write_glue(folder)
    write_glue_test(folder)
    (folder / "glue_reader.py").write_text(READER)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tasks = [f"glue:{name}(folder='{folder}')" for name in TASKS]
        study = assay.Study(
            models=[MODEL], tasks=tasks, methods=["linear_probe"], store="store", device="cpu"
        )
        assert {cell.reason for cell in study.run().cells} == {""}
    return folder


@pytest.fixture
def entrant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Entrant:
    monkeypatch.chdir(folder)
    return probed()


def probed() -> Entrant:
    method = resolve_methods(["linear_probe"])[0]
    assert isinstance(method.plugin, Protocol)
    return Entrant(resolve_models([MODEL])[0], Named(method.address, method.plugin))


@pytest.fixture(scope="module")
def answers(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    """The files that answer all hidden test sets, by their names without suffix."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        out = tmp_path_factory.mktemp("answers") / "out"
        files = submit(open_existing(folder / "store"), probed(), out, 0, "cpu")
        return {file.path.stem: file for file in files}


def test_each_file_answers_each_example_by_its_label_name(
    folder: Path, entrant: Entrant, answers: dict[str, Written]
) -> None:
    assert answers.keys() == {*LABELS, "STS-B"}
    assert lacking(open_existing(folder / "store"), entrant) == ()
    for name, labels in LABELS.items():
        expected = [f"{row}\t{labels[(FIRST + row) % len(labels)]}" for row in range(TEST)]
        assert answers[name].path.read_text() == "\n".join(["index\tprediction", *expected]) + "\n"
    of_ax = {answers[name].task for name in ("AX", "MNLI-m", "MNLI-mm")}
    assert of_ax == {f"glue:mnli_matched(folder='{folder}')"}


def test_similarities_are_numbers_on_their_scale(answers: dict[str, Written]) -> None:
    head, *rows = answers["STS-B"].path.read_text().splitlines()
    answers = [float(row.split("\t")[1]) for row in rows]
    assert head == "index\tprediction"
    assert answers == pytest.approx([(FIRST + row) % 11 / 2 for row in range(TEST)], abs=0.3)
    assert max(answers) <= 5.0


def test_files_without_a_model_are_told(folder: Path, entrant: Entrant, tmp_path: Path) -> None:
    task = f"glue:rte(folder='{folder}')"
    assay.Study(models=[MODEL], tasks=[task], methods=["linear_probe"], store=tmp_path, device="cpu").run()
    store = open_existing(tmp_path)

    assert [file.path.name for file in submit(store, entrant, tmp_path / "out", 0, "cpu")] == ["RTE.tsv"]
    assert {hidden.file for hidden in lacking(store, entrant)} >= {"CoLA.tsv", "AX.tsv", "MNLI-mm.tsv"}


def test_a_missing_test_file_stops_before_any_training(
    folder: Path, entrant: Entrant, tmp_path: Path
) -> None:
    missing = folder / "WNLI" / "test.tsv"
    missing.rename(tmp_path / "test.tsv")
    try:
        with pytest.raises(UnreadableTask, match=r"has no WNLI/test\.tsv: WNLI\.tsv answers it"):
            next(submit(open_existing(folder / "store"), entrant, tmp_path / "out", 0, "cpu"))
    finally:
        (tmp_path / "test.tsv").rename(missing)
    assert not (tmp_path / "out").exists()


def test_a_row_that_is_cut_off_is_named(folder: Path, entrant: Entrant, tmp_path: Path) -> None:
    path = folder / "RTE" / "test.tsv"
    whole = path.read_text()
    path.write_text(whole + "9\tNo 9.\n")
    try:
        with pytest.raises(UnreadableTask, match=r"test\.tsv, row 10: it has fewer cells"):
            next(submit(open_existing(folder / "store"), entrant, tmp_path / "out", 0, "cpu"))
    finally:
        path.write_text(whole)


def test_tasks_that_cannot_be_submitted_are_rejected(folder: Path, entrant: Entrant, tmp_path: Path) -> None:
    store = open_existing(folder / "store")
    other = entrant._replace(method=Named(resolve_methods(["knn"])[0].address, entrant.method.plugin))
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(UsageError, match="is not empty"):
        next(submit(store, entrant, tmp_path, 0, "cpu"))
    with pytest.raises(UsageError, match="no result of knn for torch:glue_reader"):
        next(submit(store, other, tmp_path / "out", 0, "cpu"))
