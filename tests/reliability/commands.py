"""Hostile files and options for whole commands: each runs as on the command line, in this process."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from hypothesis import strategies as st
from tests.reliability import samples, stored
from tests.reliability.inputs import altered_json, mutated, odd_texts, pieces

from assay.cli.main import main
from assay.core.errors import AssayError

_CODES = {0, 1, 2, 3}  # what commands document; 3 is that of a gate without enough data
_MODELS = tuple(f"timm:m{number}" for number in range(5))


def _table(heading: str, *columns: tuple[float, ...]) -> bytes:
    rows = zip(_MODELS, *columns, strict=True)
    return "\n".join([heading, *(",".join(map(str, row)) for row in rows)]).encode()


_BOARD = _table(
    "model,a,b,c,d",
    *(tuple(0.5 + 0.05 * ((3 * task + 2 * model) % 7) for model in range(5)) for task in range(4)),
)
_COSTS = _table("model,seconds", (1, 2, 3, 4, 5))
_FACTS = _table("model,size,source", (1, 2, 3, 4, 5), (0.5, 0.1, 0.3, 0.2, 0.9))
_GROUPS = b"task,data set\na,x\nb,x\nc,y\nd,z"
_WORDS = pieces("model", "task", "value", ",", "\n", "a", "b", *_MODELS, "0.5", "61%", "inf", "nan", "\n,")

_files = {"costs": _COSTS, "scores": _BOARD, "facts": _FACTS, "groups": _GROUPS}
_contents = st.one_of(
    mutated(*_files.values()), mutated(samples.LONG), _WORDS.map(lambda text: text.encode("utf-8", "replace"))
)
_numbers = st.one_of(
    st.sampled_from(("1,3", "0", "-1", "1e9", "99999999999999999999", "1,,2", "٣")), odd_texts
)
simulations = st.tuples(
    st.one_of(st.just(_BOARD), mutated(_BOARD, samples.LONG), _contents),
    st.dictionaries(st.sampled_from(tuple(_files)), _contents, max_size=2),
    st.dictionaries(
        st.sampled_from(("trials", "margin", "bound", "top", "rows", "matrix", "seed")), _numbers
    ),
)
agreements = st.lists(st.one_of(st.just(_BOARD), mutated(_BOARD, _FACTS), _contents), min_size=1, max_size=3)
additions = st.tuples(
    st.one_of(
        mutated(samples.MATRIX, samples.LONG),
        altered_json(samples.GRID),
        altered_json(samples.PAST),
        mutated(json.dumps(samples.PAST).encode()),
    ),
    st.sampled_from((".csv", ".json", ".jsonl", ".tsv")),
    st.one_of(st.just("mine"), odd_texts),
)
archives = st.lists(
    st.one_of(st.just(samples.NPZ), samples.dtyped(), mutated(samples.NPZ, samples.PACKED)),
    min_size=2,
    max_size=2,
)
_some_models = st.one_of(st.sampled_from(stored.MODELS), samples.ADDRESS, odd_texts)
comparisons = st.tuples(
    st.sampled_from(("gate", "compare")),
    _some_models,
    _some_models,
    st.dictionaries(
        st.sampled_from(("task", "method", "max-regression", "max-parameters", "max-latency")), _numbers
    ),
)


def _run(folder: Path, *arguments: str) -> None:
    """Run a command; raise what it says as an error of ours, and anything else as it is."""
    answer, said = io.StringIO(), io.StringIO()
    given = [word.replace("\0", "") for word in arguments]  # no system passes it to a program
    history = {"ASSAY_HISTORY": str(folder / "history")}
    with (
        redirect_stdout(answer),
        redirect_stderr(said),
        patch.object(sys, "argv", ["assay", *given]),
        patch.dict(os.environ, history),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    assert code in _CODES, code
    assert "Traceback" not in said.getvalue()
    if code:  # a verdict of gate is an answer
        raise AssayError(said.getvalue() or answer.getvalue())


def _written(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def _options(options: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def feed_simulation(value: tuple[bytes, dict[str, bytes], dict[str, str]], folder: Path) -> None:
    board, tables, options = value
    files = {name: _written(folder, f"{name}.csv", content) for name, content in tables.items()}
    options = {"trials": "1,3"} | options
    _run(folder, "simulate", _written(folder, "board.csv", board), *_options(files | options))


def feed_agreement(value: list[bytes], folder: Path) -> None:
    tables = [_written(folder, f"{number}.csv", content) for number, content in enumerate(value)]
    _run(folder, "agreement", *tables, _written(folder, "truth.csv", _BOARD))


def feed_addition(value: tuple[bytes, str, str], folder: Path) -> None:
    content, suffix, name = value
    path = _written(folder, f"past{suffix}", content)
    _run(folder, "history", "add", path, f"--name={name}", "--modality=image")
    _run(folder, "history")
    _run(folder, "history", "export", str(folder / "out.json"))


def feed_archives(value: list[bytes], folder: Path) -> None:
    files = [_written(folder, f"{number}.npz", content) for number, content in enumerate(value)]
    _run(folder, "score", *files, "--method=logme", "--method=loo_knn", "--method=nce", "--method=h_score")


def feed_comparison(value: tuple[str, str, str, dict[str, str]], folder: Path) -> None:
    command, before, after, options = value
    named = ["--baseline", before, "--", after] if command == "gate" else ["--", before, after]
    _run(folder, command, f"--store={stored.base()}", *_options(options), *named)
