"""The plug-ins of CONTRIBUTING work as they stand: a user copies them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import assay
import assay.plugins
from assay.plugins.families import BUILT_IN, using

TEXT = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text("utf-8")
PLUGINS = dict(re.findall(r'```python\n("""(\w+\.py):.*?)```', TEXT, re.DOTALL))
PLUGINS = {name: code for code, name in PLUGINS.items()}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The plug-in files of the page."""
    for name, code in PLUGINS.items():
        (tmp_path / name).write_text(code, "utf-8")
    return sorted(tmp_path.glob("*.py"))


def test_there_is_one_plug_in_of_each_kind_but_engines():
    assert len(PLUGINS) == 7


def test_plug_ins_import_from_the_public_module_alone():
    assert set(re.findall(r"from (assay[\w.]*) import", "".join(PLUGINS.values()))) == {"assay.plugins"}
    assert assay.plugins.__all__ == sorted(assay.plugins.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(assay.plugins, name) for name in assay.plugins.__all__)


def test_the_plug_ins_of_the_page_run_in_one_study(files, tmp_path):
    study = assay.Study(
        models=["colours:rgb", "colours:rgb(bins=8)"],
        tasks=["shades:default(count=40)"],
        methods=["class_mean", "few_shot(k=3, draws=1, protocol='class_mean')"],
        plugins=files,
        engine="isolated",
        store=tmp_path / "store",
    )

    comparison = study.run()

    assert {cell.status.value for cell in comparison.cells} == {"ok"}
    methods = {cell.method for cell in comparison.cells}
    assert {"class_mean", "my_score", "between_share"} <= methods
    probed = [cell for cell in comparison.cells if cell.method == "class_mean"]
    assert all(cell.value > 0.7 for cell in probed)
    assert all(0 <= cell.metrics["worst_recall"] <= cell.metrics["accuracy"] for cell in probed)
    with using(BUILT_IN.with_files(files)):
        report = assay.plugins.families.families().reports.load("winners")()
        report.render(comparison, tmp_path / "answer.winners")
    assert (tmp_path / "answer.winners").read_text("utf-8").startswith("shades:default")


def test_the_scores_of_the_page_are_high_for_classes_that_lie_apart(files):
    labels = np.arange(60) % 3
    features = np.random.default_rng(0).standard_normal((60, 8))

    with using(BUILT_IN.with_files(files)):
        for name in ("my_score", "between_share"):
            far, near = (
                assay.score(features + apart * labels[:, None], labels, name) for apart in (9.0, 0.0)
            )
            assert far > 0.9
            assert near < 0.3
        assert assay.score(features, labels, "my_score(power=2)") == pytest.approx(
            assay.score(features, labels, "my_score") ** 2
        )
