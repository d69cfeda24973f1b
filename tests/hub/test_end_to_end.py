"""The command line in fresh processes against a hub on loopback, with real clients and nothing patched."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.hub.local_hub import LocalHub, contents, serving

pytest.importorskip("datasets")
pytestmark = pytest.mark.framework

CONFIGS = """---
configs:
- {config_name: en, data_files: [{split: train, path: en/train.jsonl}, {split: dev, path: en/dev.jsonl}]}
- {config_name: de, data_files: [{split: train, path: de.jsonl}]}
---
"""
ONLINE = (
    "hub:org/reviews",
    "hub:org/reviews(revision='v1')",
    "hub:org/renamed",
    "hub:org/parquet",
    "hub:org/images",
    "hub:org/configs",
    "hub:org/configs(config='en')",
    "hub:org/script",
    "hub:org/reveiws",
    "hub:org/reviews(revision='v9')",
    "hub:org/private",
    "hub:org/gated",
    "glue:rte",
    "suite:ours.toml",
    "hf:org/bert",
    "hf:org/bert@v1",
    "hf:org/renamed",
    "hf:org/private",
    "hf:org/gated",
    "hf:org/brt",
    "hf:org/bert@v9",
    "timm:test_resnet.r160_in1k",
    "timm:hf_hub:org/resnet",
    "sentence:org/sentence",
    "openclip:hf-hub:org/clip",
    "openclip:hf-hub:org/bert",
)


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
    hub.add("models/org/gated", bert, gated=True)
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


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Iterator[LocalHub]:
    folder = tmp_path_factory.mktemp("hub")
    with serving(folder / "served") as hub:
        sets_of(hub)
        models_of(hub, tiny_bert, folder / "timm")
        yield hub


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a user whose caches are empty at first."""
    home = tmp_path_factory.mktemp("home")
    (home / "ours.toml").write_text("""tasks = ["hub:org/configs(config='de')"]""")
    return home


@pytest.fixture(scope="module")
def fetched(hub: LocalHub, home: Path) -> subprocess.CompletedProcess[str]:
    """What ``assay fetch`` says in a fresh process, with a token, and with a hub that fails now and then."""
    hub.break_off(
        {"path": "datasets/org/reviews/revision", "status": 429, "headers": {"Retry-After": "0"}, "times": 1},
        {"path": "datasets/org/images/revision", "status": 503, "times": 1},
        {"path": "org/bert/.*model.safetensors", "methods": ["GET"], "cut": 9000, "times": 1},
        {"path": "org/reviews/.*train.csv", "methods": ["GET"], "cut": 100, "times": 1},
    )
    return hub.assay(home, "fetch", *ONLINE, HF_TOKEN="hf_valid")


@pytest.fixture(scope="module")
def told(fetched: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What is said of each address."""
    assert "Traceback" not in fetched.stderr, fetched.stderr
    parts = re.split(r"^(?=\S)", fetched.stdout, flags=re.MULTILINE)
    return {address.strip(): said for address, _, said in (part.partition("\n") for part in parts) if said}


@pytest.fixture(scope="module")
def requests(hub: LocalHub, told: dict[str, str]) -> list[dict[str, str]]:
    """The requests that all of this took."""
    return hub.requests()


def test_data_sets_of_every_format_are_downloaded(told: dict[str, str]) -> None:
    assert "48 train and 12 val and 30 test examples" in told["hub:org/reviews"]
    assert "48 train and 12 val and 20 test examples" in told["hub:org/reviews(revision='v1')"]
    assert "30 test examples" in told["hub:org/renamed"]
    assert "40 train and 10 val and 12 test examples" in told["hub:org/parquet"]
    assert "12 train and 4 val and 4 test examples" in told["hub:org/images"]
    assert "32 train and 8 val and 10 test examples" in told["hub:org/configs(config='en')"]
    assert "18 train and 6 val and 6 test examples" in told["hub:org/configs(config='de')"]
    assert "36 train and 4 val and 20 test examples" in told["glue:rte"]
    assert "18 train" in told["hub:org/private"]


def test_models_of_every_client_are_downloaded_at_their_commit(hub: LocalHub, told: dict[str, str]) -> None:
    for repository, address in (
        ("org/bert", "hf:org/bert"),
        ("org/private", "hf:org/private"),
        ("org/sentence", "sentence:org/sentence"),
        ("org/resnet", "timm:hf_hub:org/resnet"),
        ("org/clip", "openclip:hf-hub:org/clip"),
    ):
        assert hub.commit(f"models/{repository}")[:12] in told[address]
    assert hub.commit("models/org/bert", "v1")[:12] in told["hf:org/bert@v1"]
    assert hub.commit("models/org/bert")[:12] in told["hf:org/renamed"]
    assert "timm/test_resnet.r160_in1k" in told["timm:test_resnet.r160_in1k"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hub:org/configs", "has several configurations: en, de. Write one, as in config='en'"),
        ("hub:org/script", "script.py.*code of a data set is not run.*revision='refs/convert/parquet'"),
        ("hub:org/reveiws", "no data set 'org/reveiws' on http://127.0.0.1.*Did you mean: org/reviews"),
        ("hub:org/reviews(revision='v9')", "no revision 'v9'. It has: main, v1"),
        ("hub:org/gated", "gated.*no access yet.*Ask for access at http://.*/datasets/org/gated"),
        ("hf:org/gated", "gated.*no access yet.*Ask for access at http://.*/org/gated, log in.*HF_TOKEN"),
        ("hf:org/brt", "no model 'org/brt' on .*Did you mean: org/bert"),
        ("hf:org/bert@v9", "no revision 'v9'. It has: main, v1"),
        ("openclip:hf-hub:org/bert", "lacks files.*open_clip_config.json"),
    ],
)
def test_what_the_hub_refuses_says_why_and_what_to_write(
    told: dict[str, str], address: str, said: str
) -> None:
    assert re.search(f"missing .*{said}", told[address]), told[address]


def test_downloads_that_break_off_go_on(fetched: subprocess.CompletedProcess[str]) -> None:
    assert fetched.stderr.count("Trying to resume download") == 2


def test_a_rate_limit_is_waited_for(fetched: subprocess.CompletedProcess[str]) -> None:
    assert "Rate limited. Waiting 1.0s" in fetched.stderr  # Retry-After and a second


def test_the_token_is_sent_to_the_hub_alone_and_never_kept(
    fetched: subprocess.CompletedProcess[str], home: Path, requests: list[dict[str, str]]
) -> None:
    assert {one["token"] for one in requests if one["path"].startswith("/cdn/")} == {None}
    assert "hf_valid" in {one["token"] for one in requests}
    assert "hf_valid" not in fetched.stdout + fetched.stderr
    assert not [file for file in home.rglob("*") if file.is_file() and b"hf_valid" in file.read_bytes()]


@pytest.mark.usefixtures("requests")
def test_a_study_of_what_was_fetched_runs_with_no_connection_at_all(hub: LocalHub, home: Path) -> None:
    models = [
        word for name in ("hf:org/bert", "hf:org/private", "sentence:org/none") for word in ("-m", name)
    ]
    tasks = ("hub:org/reviews", "hub:org/reviews(revision='v1')", "suite:ours.toml", "glue:rte")

    run = hub.assay(
        home, "rank", *tasks, *models, "--method", "knn", "--no-random-floor", "--offline", "--details"
    )

    assert hub.requests() == []
    assert "hub:org/reviews: text classification into 2 classes; 48 train, 12 val, 30 test" in run.stderr
    assert (
        "hub:org/reviews(revision='v1'): text classification into 2 classes; 48 train, 12 val, 20 test"
        in run.stderr
    )
    assert "hub:org/configs(config='de')" in run.stderr
    assert "1 model failed" in run.stderr
    assert re.search(
        r"'sentence:org/none' is not in the\s+local\s+cache, and no network is used", run.stdout
    ), run.stdout
