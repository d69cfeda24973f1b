"""Options that several commands share."""

from __future__ import annotations

import pytest
import typer

from assay.cli.main import app
from assay.cli.options import engine_with
from assay.cli.renamed_options import RENAMED
from assay.core.errors import UsageError


@pytest.mark.parametrize(
    ("engine", "time_limit", "workers", "expected"),
    [
        ("local", None, None, "local"),
        ("local", None, 1, "local"),
        ("local", None, 4, "isolated(workers=4)"),
        ("local", 60.0, None, "isolated(time_limit=60.0)"),
        ("local", 60.0, 1, "isolated(time_limit=60.0, workers=1)"),
        ("isolated", None, None, "isolated"),
        ("isolated(time_limit=5)", 60.0, 2, "isolated(time_limit=60.0, workers=2)"),
        ("isolated(leak_bytes=9)", None, 2, "isolated(leak_bytes=9, workers=2)"),
        ("mine(url='x')", None, 2, "mine(url='x', workers=2)"),
    ],
)  # fmt: skip
def test_the_time_limit_and_the_workers_are_settings_of_the_engine(
    engine: str, time_limit: float | None, workers: int | None, expected: str
) -> None:
    assert engine_with(engine, time_limit, workers) == expected


@pytest.mark.parametrize(
    ("engine", "chosen", "gpus", "expected"),
    [
        ("isolated(time_limit=5)", "ray", None, "ray"),
        ("isolated(time_limit=5)", "ray", 0.5, "ray(gpus_per_job=0.5)"),
        ("ray(time_limit=5)", "ray", 1.0, "ray(gpus_per_job=1.0, time_limit=5)"),
        ("ray(gpus_per_job=1)", None, 0.5, "ray(gpus_per_job=0.5)"),
        ("ray(workers=9)", "local", None, "local"),
    ],
)
def test_an_engine_that_is_named_replaces_that_of_the_study(
    engine: str, chosen: str | None, gpus: float | None, expected: str
) -> None:
    assert engine_with(engine, None, None, chosen, gpus_per_job=gpus) == expected


def test_what_a_job_needs_is_said_of_a_cluster_alone() -> None:
    with pytest.raises(
        UsageError, match=r"--gpus-per-job applies only to evaluations on a cluster\. Add --engine ray"
    ):
        engine_with("isolated", None, None, gpus_per_job=0.5)


@pytest.mark.parametrize("command", sorted(RENAMED))
def test_a_former_spelling_means_an_option_that_exists_and_is_none_itself(command: str) -> None:
    parameters = typer.main.get_command(app).commands[command].params  # type: ignore[attr-defined]
    options = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}

    assert set(RENAMED[command].values()) <= options
    assert not RENAMED[command].keys() & options


def test_a_former_spelling_is_accepted_with_a_note(assay) -> None:
    code, _, err = assay("cache", "nowhere", "--max-size=1GB")

    assert code != 0
    assert err.startswith("assay: --max-size is called --cache-size now.\n")
    assert "No such option" not in err
