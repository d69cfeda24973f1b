"""A study that is killed in the middle, by the real command, with a real network."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

MODELS = ("timm:test_convnext(pretrained=False)", "timm:test_vit(pretrained=False)")
METHODS = ("knn", "logme", "ridge_cv", "loo_knn", "nce")


def rows(store: Path) -> dict[tuple[str, str], str]:
    path = store / "results.sqlite"
    if not path.is_file():
        return {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        try:
            return {
                (model, method): finished
                for model, method, finished in connection.execute(
                    "SELECT model, method, finished FROM results"
                )
            }
        except sqlite3.OperationalError:  # the tables are not there yet
            return {}


def command(photos: Path, store: Path) -> list[str]:
    options = [part for model in MODELS for part in ("--models", model)]
    options += [part for method in METHODS for part in ("--methods", method)]
    return [
        sys.executable,
        "-m",
        "assay",
        "rank",
        str(photos),
        *options,
        "--store",
        str(store),
        "--device",
        "cpu",
    ]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_study_continues_and_redoes_nothing(photos, tmp_path, how):
    store = tmp_path / "store"
    running = subprocess.Popen(
        command(photos, store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )
    deadline = time.monotonic() + 120
    while len(rows(store)) < 3 and time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(how)
    running.wait(60)
    kept = rows(store)

    done = subprocess.run(command(photos, store), capture_output=True, text=True, check=False)

    after = rows(store)
    assert done.returncode == 0, done.stderr
    assert len(kept) >= 3
    assert {pair: after[pair] for pair in kept} == kept
    assert len(after) == len(MODELS) * len(METHODS)
