from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.tasks.imagenet_files import write_distributed

from assay.plugins.families import BUILT_IN
from assay.testing.tasks import TaskContract


def folder_address(place: Path) -> str:
    rng = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (place / name).mkdir()
        for number in range(8):
            Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(
                place / name / f"{number}.png"
            )
    return f"folder:{place}"


def table_address(place: Path) -> str:
    rows = [f"text number {number},{'no' if number % 3 else 'yes'}" for number in range(30)]
    (place / "rows.csv").write_text("\n".join(["text,label", *rows]))
    return f"table:{place / 'rows.csv'}"


def regression_address(place: Path) -> str:
    rows = [f"text {number}\tother {number}\t{number / 7:.3f}" for number in range(30)]
    (place / "rows.tsv").write_text("\n".join(["sentence1\tsentence2\tscore", *rows]))
    return f"table:{place / 'rows.tsv'}"


def words_address(place: Path) -> str:
    rows = [
        {"tokens": [f"word{number}", "is", "here"], "tags": ["B-x" if number % 3 else "O", "O", "O"]}
        for number in range(30)
    ]
    (place / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return f"table:{place / 'rows.jsonl'}"


def sets_address(place: Path) -> str:
    rows = [f"text number {number},{number % 2},{number % 3 == 0:d},1" for number in range(30)]
    (place / "rows.csv").write_text("\n".join(["text,round,blue,all", *rows]))
    return f"table:{place / 'rows.csv'}(label=('round', 'blue'))"


def targets_address(place: Path) -> str:
    rng = np.random.default_rng(0)
    for number in range(20):
        Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(place / f"{number}.png")
    rows = [f"{number}.png,{number / 3:.2f},{-number}" for number in range(20)]
    (place / "labels.csv").write_text("\n".join(["file,x,y", *rows]))
    return f"folder:{place}(label=('x', 'y'))"


def audio_address(place: Path) -> str:
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    for name in ("bark", "meow"):
        (place / name).mkdir()
        for number in range(8):
            soundfile.write(place / name / f"{number}.wav", rng.uniform(-1, 1, 400), 8000)
    return f"audio:{place}"


def coco_address(place: Path) -> str:
    rng = np.random.default_rng(0)
    for number in range(30):
        Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(place / f"{number}.png")
    told = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in range(30)],
        "annotations": [{"image_id": number, "category_id": number % 3} for number in range(25)],
        "categories": [{"id": number, "name": f"kind {number}"} for number in range(3)],
    }
    (place / "labels.json").write_text(json.dumps(told))
    return f"coco:{place / 'labels.json'}"


def conll_address(place: Path) -> str:
    texts = [f"word{number} N\nruns V{number % 2}\n" for number in range(30)]
    (place / "all.conll").write_text("\n".join(texts))
    return f"conll:{place / 'all.conll'}"


def glue_address(place: Path) -> str:
    (place / "CoLA").mkdir()
    for part, start in (("train", 0), ("dev", 100)):
        rows = [f"gj04\t{number % 2}\t\tSentence {start + number}." for number in range(30)]
        (place / "CoLA" / f"{part}.tsv").write_text("\n".join(rows))
    return f"glue:cola(folder='{place}')"


def imagenet_address(place: Path) -> str:
    write_distributed(place)
    return f"imagenet:{place}"


def hub_address(place: Path) -> str:
    rows = [{"text": f"text number {number}", "label": number % 2} for number in range(30)]
    pytest.importorskip("datasets").Dataset.from_list(rows).save_to_disk(place / "set")
    return f"hub:{place / 'set'}"


def torchvision_address(place: Path) -> str:
    rng = np.random.default_rng(0)
    for name in ("Forest", "River"):
        (place / "eurosat" / "2750" / name).mkdir(parents=True)
        for number in range(8):
            Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(
                place / "eurosat" / "2750" / name / f"{name}_{number}.jpg"
            )
    return f"torchvision:EuroSAT(root='{place}')"


ADDRESSES: dict[str, Callable[[Path], str]] = {
    "audio": audio_address,
    "coco": coco_address,
    "conll": conll_address,
    "docstrings": lambda place: "docstrings:numpy+scipy(per_class=10)",
    "folder": folder_address,
    "folder of targets": targets_address,
    "glue": glue_address,
    "hub": hub_address,
    "imagenet": imagenet_address,
    "skimage": lambda place: "skimage:patches(size=16, per_class=5)",
    "sklearn": lambda place: "sklearn:digits(limit=100)",
    "table": table_address,
    "torchvision": torchvision_address,
    "table of pairs": regression_address,
    "table of sets": sets_address,
    "table of words": words_address,
}


class TestTaskSources(TaskContract):
    @pytest.fixture(params=sorted(ADDRESSES))
    def address(self, request: pytest.FixtureRequest, tmp_path: Path) -> str:
        return ADDRESSES[request.param](tmp_path)


def test_every_task_source_is_under_the_contract() -> None:
    assert set(BUILT_IN.tasks.names()) <= set(ADDRESSES)


def test_every_task_source_has_a_summary() -> None:
    assert all(BUILT_IN.tasks.load(name).summary for name in BUILT_IN.tasks.names())
