"""Weights that a search downloads stay within a disk limit, and those that were there before stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from tests.conftest import Zoo

from assay.core.catalogue import CatalogueEntry
from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.plugins.families import BUILT_IN, families, using
from assay.plugins.scheduler import Pause, Scheduler
from assay.run.search.within_disk import WithinDisk
from assay.run.study import Study
from assay.search.costs import Costs
from assay.search.planner import Observation, Planner, Step
from assay.search.prior import from_facts

BYTES = 1000


@dataclass(frozen=True, slots=True)
class Fetched(ModelSource):
    """Models of the zoo of tests, each of which is a file that opening it downloads."""

    seed: int = 0

    folder: ClassVar[Path]
    downloads: ClassVar[list[str]] = []
    most: ClassVar[int] = 0

    @classmethod
    def list_names(cls) -> tuple[str, ...]:
        return ("colours", "noisy")

    def check(self) -> None:
        assert self.name in self.list_names()

    def modality(self) -> Modality:
        return Modality.IMAGE

    def identity(self) -> str:
        return f"fetched {self.name} {self.seed}"

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}-{self.seed}.pth"

    def entry(self, address: str) -> CatalogueEntry:
        there = self.file.is_file()
        return CatalogueEntry(
            address, Modality.IMAGE, download_bytes=BYTES, is_local=there, cache_file=str(self.file)
        )

    def open(self, device: str) -> Model:
        if not self.file.is_file():
            self.file.write_bytes(bytes(BYTES))
            self.downloads.append(f"{self.name}-{self.seed}")
        Fetched.most = max(Fetched.most, sum(file.stat().st_size for file in self.folder.iterdir()))
        return Zoo(self.name, seed=self.seed).open(device)


@pytest.fixture
def cache(tmp_path) -> Iterator[Path]:
    """The folder of what is downloaded, in which the user has one of the models."""
    Fetched.folder, Fetched.most = tmp_path / "cache", 0
    Fetched.downloads.clear()
    Fetched.folder.mkdir()
    (Fetched.folder / "noisy-3.pth").write_bytes(bytes(BYTES))
    with using(BUILT_IN.with_files([])):
        families().models.add("fetched", Fetched)
        yield Fetched.folder


def names(cache: Path) -> set[str]:
    return {file.stem for file in cache.iterdir()}


def test_what_a_search_downloads_stays_within_the_limit_and_what_was_there_survives(cache, photos, tmp_path):
    models = ["fetched:colours", *(f"fetched:noisy(seed={seed})" for seed in range(6))]
    given = {"models": models, "tasks": [str(photos)], "methods": ("ridge_cv",), "tolerance": 0}

    search = Study(**given, store=tmp_path / "store", max_disk=2 * BYTES).run().search

    assert search.candidates == len(models)
    assert len(set(Fetched.downloads)) == 6
    assert Fetched.most == 3 * BYTES  # those of the user included
    assert {"noisy-3", "colours-0"} <= names(cache)
    assert len(names(cache)) <= 3


def test_models_larger_than_the_limit_are_left_out(cache, photos, tmp_path):
    models = ["fetched:colours", "fetched:noisy(seed=3)"]
    study = Study(
        models=models,
        tasks=[str(photos)],
        methods=("ridge_cv",),
        store=tmp_path / "store",
        max_disk=BYTES - 1,
    )

    search = study.run().search

    assert search.finished == ("fetched:noisy(seed=3)",)
    assert search.left_out == {"are larger than 999 B (--max-disk)": 1}


class Scripted(Scheduler):
    """Gives evaluations of these models."""

    def __init__(self, *models: str) -> None:
        self._left = list(models)

    def ask(self, worker):
        return SimpleNamespace(model=self._left.pop(0)) if self._left else Pause.DONE

    def tell(self, event) -> None:
        raise AssertionError


def test_a_repository_of_the_hub_keeps_the_commit_that_the_user_had(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    download(tmp_path / "models--org--old", "a" * 40, b"before")
    entries = [
        CatalogueEntry(f"hf:org/{name}", download_bytes=1000, repository=f"org/{name}")
        for name in ("old", "new")
    ]
    planner = Planner([from_facts(["old", "new"], "task", np.full(2, np.nan), 1.0)])
    costs = Costs(np.full(2, np.nan), np.full(2, 1e3), [10])
    candidates = SimpleNamespace(entries=entries, models=["hf:org/old", "hf:org/new"])
    within = WithinDisk(Scripted("hf:org/old", "hf:org/new"), candidates, planner, costs, 1500)

    within.ask("local")
    download(tmp_path / "models--org--old", "b" * 40, b"newer" * 200)
    planner.tell(Step(0, 0), [Observation(0.1, 0.0)])
    within.ask("local")
    download(tmp_path / "models--org--new", "c" * 40, b"fresh" * 200)
    planner.tell(Step(1, 0), [Observation(0.9, 0.0)])
    costs.fetch(1)
    within.ask("local")

    old = tmp_path / "models--org--old"
    assert (old / "snapshots" / ("a" * 40) / "model.bin").read_bytes() == b"before"
    assert (old / "refs" / "main").read_text() == "a" * 40
    assert not (old / "snapshots" / ("b" * 40)).exists()
    assert [file.read_bytes() for file in (old / "blobs").iterdir()] == [b"before"]
    assert (tmp_path / "models--org--new" / "snapshots" / ("c" * 40) / "model.bin").is_file()
    assert costs.is_away().tolist() == [True, False]


def download(repository: Path, commit: str, content: bytes) -> None:
    """Put a file into the cache as the client of the hub does."""
    for folder in ("blobs", "refs", f"snapshots/{commit}"):
        (repository / folder).mkdir(parents=True, exist_ok=True)
    blob = repository / "blobs" / content[:6].hex()
    blob.write_bytes(content)
    (repository / "snapshots" / commit / "model.bin").symlink_to(blob)
    (repository / "refs" / "main").write_text(commit)
