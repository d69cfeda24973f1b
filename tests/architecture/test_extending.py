"""The plug-ins of docs/extending.md work as they stand: a user copies them."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import assay
import assay.plugins
from assay.core.errors import UsageError
from assay.plugins.families import BUILT_IN, using
from assay.run.stored_comparison import compare_store
from assay.store.results import open_existing

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "extending.md").read_text("utf-8")
PLUGINS = dict(re.findall(r'```python\n("""(\w+\.py):.*?)```', TEXT, re.DOTALL))
PLUGINS = {name: code for code, name in PLUGINS.items()}
CONTRACTS = PLUGINS.pop("test_mine.py")


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
        device="cpu",
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


@pytest.mark.framework
def test_the_plug_ins_of_the_page_keep_their_laws(files, tmp_path):
    (tmp_path / "test_mine.py").write_text(CONTRACTS, "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-2000:]


def test_a_class_that_lacks_a_method_says_which(tmp_path):
    (tmp_path / "half.py").write_text(
        "from assay.plugins import ModelSource\n\n\nclass Half(ModelSource):\n    pass\n", "utf-8"
    )

    with pytest.raises(UsageError, match="'Half' is a ModelSource without 'check' and 'identity' and"):
        BUILT_IN.with_files([tmp_path / "half.py"])


def test_two_classes_say_which_is_to_be_hidden(tmp_path):
    code = PLUGINS["between_share.py"]
    (tmp_path / "two.py").write_text(code + "\n\nclass Other(BetweenShare):\n    pass\n", "utf-8")

    with pytest.raises(UsageError, match="'two' defines BetweenShare and Other: which is the plug-in"):
        BUILT_IN.with_files([tmp_path / "two.py"])


def test_a_store_judged_by_a_metric_of_ones_own_asks_for_its_file(files, tmp_path):
    study = assay.Study(
        models=["colours:rgb"],
        tasks=["shades:default(count=40)"],
        methods=["class_mean"],
        plugins=files,
        device="cpu",
        store=tmp_path / "store",
    )
    study.run()
    with sqlite3.connect(tmp_path / "store" / "results.sqlite") as connection:
        connection.execute("UPDATE tasks SET facts = json_set(facts, '$.metric', 'worst_recall')")
    store = open_existing(tmp_path / "store")

    with pytest.raises(UsageError, match="--plugin worst_recall.py"):
        compare_store(store)
    with using(BUILT_IN.with_files(files)):
        assert compare_store(store).tasks[0].task.metric == "worst_recall"
    store.close()


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
