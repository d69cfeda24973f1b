"""assay save, as a person runs it; what is saved is tested with the action."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.run.plan import resolve_tasks
from assay.store.results import open_existing


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("matthews", -0.25, "matthews −0.250"),
        ("accuracy", 0.75, "accuracy 0.750"),
        ("log_loss", -0.5, "log_loss 0.500"),
    ],
)
def test_the_value_has_the_sign_that_reports_show(assay, photos, monkeypatch, metric, value, shown):
    assay("rank", str(photos), "-m", "zoo:colours", "--method", "knn", "--seeds", "1")
    task = replace(resolve_tasks([str(photos)], 0)[0], metric=metric)
    (result,) = open_existing(Path("assay-store")).results()
    monkeypatch.setattr("assay.run.plan.resolve_tasks", lambda *_: (task,))
    monkeypatch.setattr("assay.actions.save.save", lambda *_, **__: replace(result, value=value))

    code, out, _ = assay("save", "assay-store", "zoo:colours", str(photos), "--method", "knn")

    assert code == 0
    assert f"({shown} on test)" in " ".join(out.split())
