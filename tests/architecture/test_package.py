"""The package holds what Assay needs, and works where nothing else of the repository is."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "assay"
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
LARGEST_BASE = 500e6  # bytes of a virtual environment: most of it is pyarrow, scipy and scikit-learn


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without isolation: no network."""
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(ROOT))
    return Path(
        next(iter(builder.build(directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"])))
    )


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features of three classes, in a file as users have them."""
    labels = np.arange(90) % 3
    matrix = np.random.default_rng(0).normal(size=(90, 8)) + 3 * np.eye(8)[labels]
    path = tmp_path_factory.mktemp("features") / "features.npz"
    np.savez(path, features=matrix.astype(np.float32), labels=labels)
    return path


def run(*command: str | Path, here: Path | None = None) -> str:
    """Return what a command prints where nothing is on the path but what lies in ``here``."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if here is not None:
        environment["PYTHONPATH"] = str(here)
    done = subprocess.run(
        command, cwd=here or ROOT.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done.stdout


def test_the_wheel_holds_every_file_of_the_sources_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert names == {
        path.relative_to(ROOT / "src").as_posix()
        for path in SOURCES.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {"assay/py.typed", "assay/store/schema.sql", "assay/reports/html/templates/style.css"} <= names


@pytest.mark.framework
def test_the_unpacked_wheel_runs(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)

    shown = run(sys.executable, "-m", "assay", "list", "suites", here=tmp_path)

    assert "vtab-natural" in shown
    assert "assay = assay.cli.main:main" in next(tmp_path.glob("*.dist-info/entry_points.txt")).read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "extra", ["", *sorted(EXTRAS - {"all", "demo", "dev"})], ids=lambda extra: extra or "core"
)
def test_each_extra_installs_alone_and_scores_features(wheel, features, tmp_path, extra):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    install = ("-m", "pip", "install", "-q", "--no-compile", f"{wheel}[{extra}]" if extra else wheel)
    subprocess.run([tmp_path / "venv" / "bin" / "python", *install], check=True)
    assay = tmp_path / "venv" / "bin" / "assay"

    assert "rank" in run(assay, "--help")
    assert "logme" in run(assay, "score", features, "--method", "logme")
    if not extra:
        assert not list((tmp_path / "venv").rglob("site-packages/torch"))
        sizes = [path.stat().st_size for path in (tmp_path / "venv").rglob("*") if path.is_file()]
        assert sum(sizes) < LARGEST_BASE
