"""Signals that end a command: the exit code is right, and nothing half written remains."""

from __future__ import annotations

import os
import signal

import pytest

from assay.environment.atomic_file import written_whole

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.fixture(autouse=True)
def _default_handlers():
    """What a new process has, whatever a library of another test has set or nohup has given this one."""
    handlers = dict.fromkeys(CODES, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, signal.SIG_DFL if handler is None else handler)


@pytest.fixture
def rank(assay, photos, tmp_path):
    options = ("-m", "zoo:colours", "--method", "knn", "--store", str(tmp_path / "store"))
    return lambda: assay("rank", str(photos), *options)


@pytest.mark.parametrize("number", CODES)
def test_a_signal_ends_a_run_in_order_with_its_exit_code(rank, tmp_path, monkeypatch, number):
    after_first = []

    def end(*_: object, **__: object) -> None:
        with written_whole(tmp_path / "store" / "features" / "half.npy"):
            try:
                os.kill(os.getpid(), number)
            finally:
                after_first.extend(map(signal.getsignal, CODES))

    before = list(map(signal.getsignal, CODES))
    monkeypatch.setattr("assay.run.study.Evaluator.__call__", end)

    code, _, said = rank()

    assert code == CODES[number]
    assert "the same command continues" in said
    assert after_first == [signal.SIG_DFL] * 3  # the second one ends the process at once
    assert list(map(signal.getsignal, CODES)) == before
    assert list((tmp_path / "store").rglob("*half*")) == []


def test_a_terminal_that_is_closed_does_not_change_the_exit_code(rank, monkeypatch):
    class Closed:
        encoding = "utf-8"

        def write(self, *_: str) -> int:
            raise OSError(5, "Input/output error")

        flush = close = isatty = write

    def hang_up(*_: object, **__: object) -> None:
        monkeypatch.setattr("sys.stderr", Closed())
        os.kill(os.getpid(), signal.SIGHUP)

    monkeypatch.setattr("assay.run.study.Evaluator.__call__", hang_up)

    assert rank()[0] == CODES[signal.SIGHUP]
