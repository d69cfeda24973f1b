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


def folder_address(folder: Path) -> str:
    rng = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (folder / name).mkdir()
        for number in range(8):
            Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(
                folder / name / f"{number}.png"
            )
    return f"folder:{folder}"


def table_address(folder: Path) -> str:
    rows = [f"text number {number},{'no' if number % 3 else 'yes'}" for number in range(30)]
    (folder / "rows.csv").write_text("\n".join(["text,label", *rows]))
    return f"table:{folder / 'rows.csv'}"


def regression_address(folder: Path) -> str:
    rows = [f"text {number}\tother {number}\t{number / 7:.3f}" for number in range(30)]
    (folder / "rows.tsv").write_text("\n".join(["sentence1\tsentence2\tscore", *rows]))
    return f"table:{folder / 'rows.tsv'}"


def words_address(folder: Path) -> str:
    rows = [
        {"tokens": [f"word{number}", "is", "here"], "tags": ["B-x" if number % 3 else "O", "O", "O"]}
        for number in range(30)
    ]
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return f"table:{folder / 'rows.jsonl'}"


def sets_address(folder: Path) -> str:
    rows = [f"text number {number},{number % 2},{number % 3 == 0:d},1" for number in range(30)]
    (folder / "rows.csv").write_text("\n".join(["text,round,blue,all", *rows]))
    return f"table:{folder / 'rows.csv'}(label=('round', 'blue'))"


def targets_address(folder: Path) -> str:
    rng = np.random.default_rng(0)
    for number in range(20):
        Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    rows = [f"{number}.png,{number / 3:.2f},{-number}" for number in range(20)]
    (folder / "labels.csv").write_text("\n".join(["file,x,y", *rows]))
    return f"folder:{folder}(label=('x', 'y'))"


def audio_address(folder: Path) -> str:
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    for name in ("bark", "meow"):
        (folder / name).mkdir()
        for number in range(8):
            soundfile.write(folder / name / f"{number}.wav", rng.uniform(-1, 1, 400), 8000)
    return f"audio:{folder}"


def coco_address(folder: Path) -> str:
    rng = np.random.default_rng(0)
    for number in range(30):
        Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    document = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in range(30)],
        "annotations": [{"image_id": number, "category_id": number % 3} for number in range(25)],
        "categories": [{"id": number, "name": f"kind {number}"} for number in range(3)],
    }
    (folder / "labels.json").write_text(json.dumps(document))
    return f"coco:{folder / 'labels.json'}"


def yolo_address(folder: Path) -> str:
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for number in range(30):
        image = Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8))
        image.save(folder / "images" / f"{number}.png")
        (folder / "labels" / f"{number}.txt").write_text(f"{number % 3} 0.5 0.5 0.1 0.1")
    return f"yolo:{folder}"


def conll_address(folder: Path) -> str:
    texts = [f"word{number} N\nruns V{number % 2}\n" for number in range(30)]
    (folder / "all.conll").write_text("\n".join(texts))
    return f"conll:{folder / 'all.conll'}"


def glue_address(folder: Path) -> str:
    (folder / "CoLA").mkdir()
    for part, start in (("train", 0), ("dev", 100)):
        rows = [f"gj04\t{number % 2}\t\tSentence {start + number}." for number in range(30)]
        (folder / "CoLA" / f"{part}.tsv").write_text("\n".join(rows))
    return f"glue:cola(folder='{folder}')"


def imagenet_address(folder: Path) -> str:
    write_distributed(folder)
    return f"imagenet:{folder}"


def hub_address(folder: Path) -> str:
    rows = [{"text": f"text number {number}", "label": number % 2} for number in range(30)]
    pytest.importorskip("datasets").Dataset.from_list(rows).save_to_disk(folder / "set")
    return f"hub:{folder / 'set'}"


def torchvision_address(folder: Path) -> str:
    rng = np.random.default_rng(0)
    for name in ("Forest", "River"):
        (folder / "eurosat" / "2750" / name).mkdir(parents=True)
        for number in range(8):
            Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(
                folder / "eurosat" / "2750" / name / f"{name}_{number}.jpg"
            )
    return f"torchvision:EuroSAT(root='{folder}')"


ADDRESSES: dict[str, Callable[[Path], str]] = {
    "audio": audio_address,
    "coco": coco_address,
    "conll": conll_address,
    "docstrings": lambda folder: "docstrings:numpy+scipy(per_class=10)",
    "folder": folder_address,
    "folder of targets": targets_address,
    "glue": glue_address,
    "hub": hub_address,
    "imagenet": imagenet_address,
    "yolo": yolo_address,
    "skimage": lambda folder: "skimage:patches(size=16, per_class=5)",
    "sklearn": lambda folder: "sklearn:digits(limit=100)",
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
