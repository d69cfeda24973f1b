"""Small data sets and models for a hub of the tests."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from tests.hub.local_hub import LocalHub, contents

CONFIGS = """---
configs:
- {config_name: en, data_files: [{split: train, path: en/train.jsonl}, {split: dev, path: en/dev.jsonl}]}
- {config_name: de, data_files: [{split: train, path: de.jsonl}]}
---
"""


def rows(count: int, start: int = 0) -> list[tuple[str, str]]:
    """Return texts of words that the tiny tokenizer knows, with their labels."""
    words = {"pos": "happy books", "neg": "lazy dog"}
    labels = ["neg" if number % 2 else "pos" for number in range(start, start + count)]
    return [(f"the {words[label]} {number}", label) for number, label in enumerate(labels, start)]


def csv(count: int, start: int = 0) -> bytes:
    lines = ["text,label", *(",".join(row) for row in rows(count, start))]
    return "\n".join(lines).encode()


def jsonl(count: int, start: int = 0) -> bytes:
    return b"".join(
        json.dumps({"text": text, "label": label}).encode() + b"\n" for text, label in rows(count, start)
    )


def pairs(count: int, start: int = 0) -> bytes:
    cells = [
        {"sentence1": f"a {row}", "sentence2": f"b {row}", "label": row % 2}
        for row in range(start, start + count)
    ]
    return b"".join(json.dumps(one).encode() + b"\n" for one in cells)


def parquet(count: int, start: int = 0) -> bytes:
    """Return rows whose labels are numbers with names, as ``push_to_hub`` writes them."""
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["good", "bad"])}
    )
    texts = [text for text, _ in rows(count, start)]
    buffer = io.BytesIO()
    datasets.Dataset.from_dict(
        {"text": texts, "label": [row % 2 for row in range(count)]}, features
    ).to_parquet(buffer)
    return buffer.getvalue()


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 100, (8, 8, 3)) + np.array([100 * (seed % 2), 0, 0])
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def sets_of(hub: LocalHub) -> None:
    """Add data sets to a hub."""
    reviews = {"train.csv": csv(60), "test.csv": csv(30, 1000)}
    hub.add("datasets/org/reviews", reviews)
    hub.add("datasets/org/reviews", {**reviews, "test.csv": csv(20, 1000)}, ref="v1")
    hub.change("datasets/org/renamed", moved="org/reviews")
    splits = {"train": parquet(40), "validation": parquet(10, 100), "test": parquet(12, 200)}
    hub.add(
        "datasets/org/parquet", {f"data/{name}-00000-of-00001.parquet": one for name, one in splits.items()}
    )
    images = {f"train/{'cat' if number % 2 else 'dog'}/{number}.png": png(number) for number in range(20)}
    hub.add("datasets/org/images", images)
    files = {"README.md": CONFIGS.encode(), "en/train.jsonl": jsonl(40), "en/dev.jsonl": jsonl(10, 100)}
    hub.add("datasets/org/configs", {**files, "de.jsonl": jsonl(30, 200)})
    hub.add("datasets/org/script", {"script.py": b"import datasets"})
    hub.add("datasets/org/private", {"train.csv": csv(30)}, private=True)
    hub.add("datasets/org/gated", {"train.csv": csv(30)}, gated=True)
    card = b"---\nconfigs:\n- {config_name: rte, data_dir: rte}\n---\n"
    hub.add(
        "datasets/nyu-mll/glue",
        {"README.md": card, "rte/train.jsonl": pairs(40), "rte/validation.jsonl": pairs(20, 100)},
    )


def models_of(hub: LocalHub, bert: Path, folder: Path) -> None:
    """Add models to a hub."""
    import timm
    from timm.models import save_for_hf

    hub.add("models/org/bert", bert)
    hub.add("models/org/bert", bert, ref="v1")
    hub.change("models/org/renamed", moved="org/bert")
    hub.add("models/org/private", bert, private=True)
    for name in ("gated", "late", "later"):
        hub.add(f"models/org/{name}", bert, gated=name == "gated")
    save_for_hf(timm.create_model("test_resnet", pretrained=False), folder, safe_serialization=True)
    hub.add("models/timm/test_resnet.r160_in1k", folder)
    hub.add("models/org/resnet", folder)
    hub.add("models/org/sentence", contents(bert) | sentence_files())
    hub.add("models/org/clip", clip())


def sentence_files() -> dict[str, bytes]:
    """Return what makes a sentence encoder of a BERT."""
    kinds = {"": "sentence_transformers.models.Transformer", "pool": "sentence_transformers.models.Pooling"}
    modules = [
        {"idx": row, "name": f"{row}", "path": path, "type": kind}
        for row, (path, kind) in enumerate(kinds.items())
    ]
    pooling = {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True}
    return {"modules.json": json.dumps(modules).encode(), "pool/config.json": json.dumps(pooling).encode()}


def clip() -> dict[str, bytes]:
    """Return the files of a tiny CLIP with random weights."""
    import open_clip
    import torch
    from safetensors.torch import save

    shape = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
        "text_cfg": {"context_length": 16, "vocab_size": 64, "width": 8, "heads": 2, "layers": 1},
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = open_clip.CLIP(**shape).state_dict()
    preprocessing = {"mean": [0.5] * 3, "std": [0.5] * 3}
    config = json.dumps({"model_cfg": shape, "preprocess_cfg": preprocessing}).encode()
    return {"open_clip_config.json": config, "open_clip_model.safetensors": save(weights)}
