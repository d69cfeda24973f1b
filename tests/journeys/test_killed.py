"""A study that is killed in the middle, by the real command, with a real network."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

METHODS = ("knn", "logme", "ridge_cv", "loo_knn", "nce")


@pytest.fixture
def networks(tmp_path: Path) -> list[str]:
    """Two graphs of ONNX, whose runtime starts in a tenth of the time of torch."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import helper, numpy_helper

    addresses = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        weights = {"kernel": rng.normal(size=(8, 3, 3, 3)), "head": rng.normal(size=(8, 5))}
        graph = helper.make_graph(
            [
                helper.make_node("Conv", ["x", "kernel"], ["map"]),
                helper.make_node("GlobalAveragePool", ["map"], ["mean"]),
                helper.make_node("Flatten", ["mean"], ["features"]),
                helper.make_node("MatMul", ["features", "head"], ["logits"]),
            ],
            "net",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ("n", 3, 16, 16))],
            [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ("n", 5))],
            [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
        )
        path = tmp_path / f"net{seed}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        addresses.append(f"onnx:{path}(mean=0.5, std=0.25)")
    return addresses


def rows(store: Path) -> dict[tuple[str, str], str]:
    """Return when each job of a store finished."""
    path = store / "results.sqlite"
    if not path.is_file():
        return {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        try:
            jobs = connection.execute("SELECT model, method, finished FROM results")
            return {(model, method): finished for model, method, finished in jobs}
        except sqlite3.OperationalError:  # the tables are not there yet
            return {}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_study_continues_and_redoes_nothing(photos, networks, tmp_path, how):
    store = tmp_path / "store"
    options = [part for model in networks for part in ("--model", model)]
    options += [part for method in METHODS for part in ("--method", method)]
    command = [sys.executable, "-m", "assay", "rank", str(photos), *options]
    command += ["--store", str(store), "--device", "cpu"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    deadline = time.monotonic() + 120
    while len(rows(store)) < 3 and time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(how)
    running.wait(60)
    kept = rows(store)

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    after = rows(store)
    assert done.returncode == 0, done.stderr
    assert running.returncode != 0
    assert len(kept) >= 3
    assert {pair: after[pair] for pair in kept} == kept
    assert len(after) == len(networks) * len(METHODS)
