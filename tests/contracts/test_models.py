"""Every source of models keeps the laws of ``assay.testing.models``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.model import ModelSource
from assay.core.task import Example
from assay.models.features import FeaturesSource
from assay.models.hf import HuggingFaceSource
from assay.models.keras import KerasSource
from assay.models.onnx import OnnxSource
from assay.models.openclip import OpenClipSource
from assay.models.packaged import PackagedSource
from assay.models.sentence import SentenceSource
from assay.models.tensorflow import TensorflowSource
from assay.models.timm import TimmSource
from assay.models.torch import TorchSource
from assay.models.torchvision import TorchvisionSource
from assay.models.vectors import VectorsSource
from assay.testing.models import ModelContract

WORDS = ("the", "a", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "happy", "books", "unseen")


def pictures() -> list[Example]:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 60, size=(33, 2))
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sizes]


def texts() -> list[Example]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 30))) for _ in range(32)] + [""]


class Images(ModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def examples(cls) -> list[Example]:
        return pictures()


class Texts(ModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def examples(cls) -> list[Example]:
        return texts()


class TestTimm(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return TimmSource("resnet10t", pretrained=False, image_size=32)


class TestTimmTransformer(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return TimmSource("vit_tiny_patch16_224", pretrained=False, image_size=32)


class TestTorchvision(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return TorchvisionSource("squeezenet1_1", pretrained=False, image_size=48)


class TestTorch(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSource]:
        folder = tmp_path_factory.mktemp("nets")
        (folder / "contract_nets.py").write_text(NETS)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            yield TorchSource("contract_nets:build", arguments=(5,), size=16, mean=0.5, std=0.25)


class TestTorchExport(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
        torch = pytest.importorskip("torch")
        path = tmp_path_factory.mktemp("export") / "net.pt2"
        space: dict[str, Callable[[int], Any]] = {}
        exec(NETS, space)
        open_batch = ({0: torch.export.Dim("n")},)
        net = space["build"](5).eval()
        torch.export.save(
            torch.export.export(net, (torch.zeros(2, 3, 16, 16),), dynamic_shapes=open_batch), path
        )
        return TorchSource(str(path), mean=0.5, std=0.25)


class TestOnnx(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
        """A graph with a convolution, a mean and a head, made without any other framework."""
        onnx = pytest.importorskip("onnx")
        from onnx import helper, numpy_helper

        rng = np.random.default_rng(0)
        weights = {"kernel": rng.normal(size=(8, 3, 3, 3)), "head": rng.normal(size=(8, 5))}
        graph = helper.make_graph(
            [
                helper.make_node("Conv", ["x", "kernel"], ["map"]),
                helper.make_node("Relu", ["map"], ["positive"]),
                helper.make_node("GlobalAveragePool", ["positive"], ["mean"]),
                helper.make_node("Flatten", ["mean"], ["features"]),
                helper.make_node("MatMul", ["features", "head"], ["logits"]),
            ],
            "net",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ("n", 3, 16, 16))],
            [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ("n", 5))],
            [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
        )
        path = tmp_path_factory.mktemp("onnx") / "net.onnx"
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, path)
        return OnnxSource(str(path), mean=0.5, std=0.25)


class TestOpenClipImage(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return OpenClipSource("ViT-S-32-alt", pretrained=False, image_size=32)


class TestOpenClipText(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return OpenClipSource("ViT-S-32-alt", pretrained=False, image_size=32, tower="text")


class TestKeras(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tensorflow_files: Path) -> ModelSource:
        return KerasSource(str(tensorflow_files / "net.keras"))


class TestTensorflow(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tensorflow_files: Path) -> ModelSource:
        return TensorflowSource(str(tensorflow_files / "saved"))


class TestPackagedImage(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return PackagedSource("efficientnet_lite0")

    @pytest.fixture(scope="class")
    @classmethod
    def examples(cls) -> list[Example]:
        return pictures()[::6]  # its input is 224 x 224: a few pictures are slow enough


class TestPackagedText(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return PackagedSource("all_minilm_l6_v2", layers=2)


class TestPackagedWordVectors(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return PackagedSource("all_minilm_l6_v2", layers=0)


class TestPackagedRandom(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        return PackagedSource("all_minilm_l6_v2", layers=1, pretrained=False)


class TestFeatures(ModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def examples(cls) -> list[Example]:
        return [f"cat/{number:02}.jpg" for number in range(33)]

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, examples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
        path = tmp_path_factory.mktemp("features") / "features.npz"
        np.savez(path, features=np.random.default_rng(0).normal(size=(33, 5)), names=examples)
        return FeaturesSource(str(path))


class TestVectors(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSource]:
        folder = tmp_path_factory.mktemp("vectors")
        numbers = np.random.default_rng(0).normal(size=(len(WORDS) - 1, 8)).astype(str)
        rows = zip(WORDS[:-1], numbers, strict=True)
        (folder / "glove.txt").write_text("\n".join(f"{word} {' '.join(row)}" for word, row in rows))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ASSAY_CACHE", str(folder / "cache"))
            yield VectorsSource(str(folder / "glove.txt"), pooling="sif")


class TestHuggingFaceText(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tiny_bert: Path) -> ModelSource:
        return HuggingFaceSource(str(tiny_bert))


class TestHuggingFaceClassifier(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tiny_bert_classifier: Path) -> ModelSource:
        return HuggingFaceSource(str(tiny_bert_classifier), pooling="cls")


class TestHuggingFaceDecoder(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tiny_gpt: Path) -> ModelSource:
        return HuggingFaceSource(str(tiny_gpt))


class Sounds(ModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def examples(cls) -> list[Example]:
        from tests.audio_models import sounds

        return [*sounds(33)]


class TestHuggingFaceAudio(Sounds):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
        from tests.audio_models import saved_audio_model

        return HuggingFaceSource(str(saved_audio_model(tmp_path_factory.mktemp("wav2vec2"), "wav2vec2")))


class TestHuggingFaceAudioClassifier(Sounds):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
        from tests.audio_models import saved_audio_model

        return HuggingFaceSource(str(saved_audio_model(tmp_path_factory.mktemp("ast"), "ast", classes=4)))


class TestHuggingFaceImage(Images):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, tiny_vit: Path) -> ModelSource:
        return HuggingFaceSource(str(tiny_vit))


class TestSentence(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, minilm: Path) -> ModelSource:
        return SentenceSource(str(minilm))


class TestSentenceRandom(Texts):
    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, minilm: Path) -> ModelSource:
        return SentenceSource(str(minilm), pretrained=False)


NETS = """
from torch import nn

def build(classes):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes),
    )
"""
