"""What ``make quick`` runs: tests that load no framework and start no process; a test that does fails."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
QUICK = (
    "analysis",
    "contracts/test_metrics.py",
    "core",
    "findings",
    "metrics",
    "moments",
    "numerics",
    "plugins",
    "readers",
    "search",
    "store",
    "tables",
    "wording",
)
LEFT_OUT = (  # scores as well: all of them take a minute, and the file of one takes a second
    "analysis/scores/test_published_tables.py",
    "analysis/per_task/test_significance.py",
    "analysis/scores/test_intervals.py",
    "analysis/test_compare.py",
    "plugins/test_patterns.py",
)
FRAMEWORKS = (
    "accelerate",
    "datasets",
    "keras",
    "onnx",
    "onnxruntime",
    "open_clip",
    "optuna",
    "peft",
    "sentence_transformers",
    "tensorflow",
    "timm",
    "tokenizers",
    "torch",
    "torchvision",
    "transformers",
)
_PROCESSES = ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen")
_LOADS = re.compile(
    rf"^(?:import |from |(?:\w+ = )?pytest\.importorskip\(\")(?:{'|'.join(FRAMEWORKS)})\b", re.MULTILINE
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only tests without a framework or a process")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Refuse frameworks and processes from here on, where tests run: not where xdist starts its workers."""
    config = session.config
    starts_workers = config.getoption("numprocesses", None) and not hasattr(config, "workerinput")
    if config.getoption("quick") and not starts_workers:
        sys.addaudithook(_refuse)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out whole files, before what they import is imported."""
    if not config.getoption("quick") or collection_path.is_dir():
        return None
    chosen, refused = (
        any(collection_path.is_relative_to(TESTS / name) for name in names) for names in (QUICK, LEFT_OUT)
    )
    return not chosen or refused or bool(_LOADS.search(collection_path.read_text("utf-8"))) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("quick"):
        return
    left_out = [item for item in items if item.get_closest_marker("framework")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "import" and str(arguments[0]).partition(".")[0] in FRAMEWORKS:
        pytest.fail(f"A quick test imports {arguments[0]}: mark it with pytest.mark.framework.")
    if event in _PROCESSES:
        pytest.fail(f"A quick test starts a process ({event}): mark it with pytest.mark.framework.")
