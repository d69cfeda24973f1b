from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")

from torch import nn

from assay.core.errors import ModelError, UnknownName, UsageError
from assay.core.task import Modality
from assay.models.onnx import OnnxSource
from assay.models.packaged import PackagedSource
from assay.models.torch import TorchSource
from assay.plugins.address import Address
from assay.plugins.registry import Named
from assay.run.broken_source import BrokenSource, read_source

IMAGES = [np.random.default_rng(row).integers(0, 256, (40, 50, 3), dtype=np.uint8) for row in range(5)]


def exported(module: nn.Module, path: Path, example: Any, **options: Any) -> OnnxSource:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing
        torch.onnx.export(module.eval(), example, path, **{"dynamo": False, **options})
    return OnnxSource(str(path))


def small_net() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        body = (nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(*body, nn.Linear(8, 5), nn.Softmax(1))


@pytest.fixture
def net(tmp_path: Path) -> Callable[..., OnnxSource]:
    """Exports the small net with an open batch axis, or as told."""

    def export(
        module: nn.Module | None = None, shape: tuple[int, ...] = (1, 3, 16, 16), **options: Any
    ) -> OnnxSource:
        options = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "n"}}, **options}
        return exported(module or small_net(), tmp_path / "net.onnx", torch.zeros(shape), **options)

    return export


@pytest.mark.parametrize("name", ["squeezenet1_1_in1k", "resnet20_cifar10"])
def test_a_real_model_says_what_torch_says(
    realdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.syspath_prepend(realdata)
    size = 32 if "cifar" in name else 224
    arguments = (str(realdata / "weights"), name)
    expected = TorchSource("realdata_models:load", arguments=arguments, size=size).open("cpu")
    module = sys.modules["realdata_models"].load(*arguments)
    axes = {"x": {0: "n"}, "y": {0: "n"}}
    options = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": axes}

    model = exported(module, tmp_path / "net.onnx", torch.zeros(1, 3, size, size), **options).open("cpu")

    features, probs = model.encode(IMAGES)[:2]
    np.testing.assert_allclose(features, expected.encode(IMAGES).features, atol=1e-4)
    np.testing.assert_allclose(probs, expected.encode(IMAGES).source_probs, atol=1e-5)
    assert model.facts.macs in (None, expected.facts.macs)
    assert model.pixels.recipe == expected.pixels.recipe  # images are decoded once for both


def test_sentences_are_read_as_by_the_package_of_the_weights(minilm: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    options = {"add_pooling_layer": False, "attn_implementation": "eager", "num_hidden_layers": 2}
    bert = transformers.AutoModel.from_pretrained(minilm, **options)

    class States(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = bert

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    texts = ["Which model fits?", "A much longer sentence, which is padded far less than the other one."]
    names = {"input_names": ["input_ids", "attention_mask"], "output_names": ["last_hidden_state"]}
    axes = {name: {0: "texts", 1: "tokens"} for name in (*names["input_names"], *names["output_names"])}
    probe = (torch.ones(2, 7, dtype=torch.int64), torch.ones(2, 7, dtype=torch.int64))
    source = exported(States(), tmp_path / "minilm.onnx", probe, dynamic_axes=axes, **names)
    transformers.AutoTokenizer.from_pretrained(minilm).save_pretrained(tmp_path)

    features = source.open("cpu").encode(texts).features

    expected = PackagedSource("all_minilm_l6_v2", layers=2).open("cpu").encode(texts).features
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    assert source.modality() is Modality.TEXT
    np.testing.assert_allclose(features / lengths, expected, atol=1e-5)


def test_the_head_is_found_and_softmax_is_not_done_twice(net) -> None:
    model = net().open("cpu")
    batch = torch.zeros(1, 3, 16, 16)

    features, probs = model.encode([np.zeros((16, 16, 3), np.uint8)])[:2]

    np.testing.assert_allclose(features, small_net()[:4](batch).detach(), atol=1e-6)
    np.testing.assert_allclose(probs, small_net()(batch).detach(), atol=1e-6)
    assert [weight.shape for weight in model.weights()] == [(8, 27), (5, 8)]


class Rescaled(nn.Module):
    """The small net behind what some exporters put in front of one."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.net = small_net()
        self.kind = kind

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.net(self.changed(batch))

    def changed(self, batch: torch.Tensor) -> torch.Tensor:
        colours = torch.tensor([104.0, 117.0, 124.0])[:, None, None]
        return {
            "divided": lambda: batch / 255,
            "centred": lambda: batch * (1 / 127.5) - 1,
            "whole": lambda: batch.to(torch.float32) / 255,
            "reversed": lambda: batch[:, [2, 1, 0]] - colours,
            "grey": lambda: (batch * colours).sum(1, keepdim=True).expand(-1, 3, -1, -1) / (255 * 345),
            "cut": lambda: batch.clamp(0, 255),
            "last": lambda: (batch.permute(0, 3, 1, 2) - torch.full((3, 1, 1), 120.0)) / 60,
            "unit": lambda: (batch - 0.5) / 0.25,
        }[self.kind]()


@pytest.mark.parametrize("kind", ["divided", "centred", "whole", "last", "unit", "reversed", "grey", "cut"])
def test_a_graph_is_fed_the_range_of_pixels_that_it_expects(net, kind: str) -> None:
    module, image = Rescaled(kind), IMAGES[0][:16, :16]
    dtype = torch.uint8 if kind == "whole" else torch.float32
    batch = torch.from_numpy(image)[None] if kind == "last" else torch.from_numpy(image).movedim(-1, 0)[None]
    given = batch / 255 if kind == "unit" else batch.to(dtype)
    source = exported_as(net, module, given, dynamo=kind == "reversed")

    model = source.open("cpu")

    np.testing.assert_allclose(model.encode([image]).source_probs, module(given).detach(), atol=1e-5)
    assert f"pixels {'0..1' if kind == 'unit' else '0..255'}: the" in model.facts.input_note
    written = OnnxSource(source.name, scale=kind in ("unit", "whole"))  # version 1 fed raw pixels to uint8
    assert source.identity() == written.identity()


def exported_as(
    net: Callable[..., OnnxSource], module: nn.Module, example: torch.Tensor, *, dynamo: bool
) -> OnnxSource:
    path = Path(net().name).with_name("rescaled.onnx")
    axes = {"verbose": False} if dynamo else {"dynamic_axes": {"x": {0: "n"}}}
    return exported(module, path, example, input_names=["x"], output_names=["y"], dynamo=dynamo, **axes)


@pytest.mark.parametrize(
    ("stated", "changed"),
    [
        ({"Image.NominalPixelRange": "NominalRange_0_255"}, lambda pixels: pixels),
        ({"Image.NominalPixelRange": "Normalized_1_1"}, lambda pixels: pixels / 127.5 - 1),
        ({"Image.BitmapPixelFormat": "Bgr8"}, lambda pixels: pixels[:, ::-1] / 255),
        ({"Image.BitmapPixelFormat": "Rgb8"}, lambda pixels: pixels / 255),
    ],
    ids=["0..255", "-1..1", "blue first", "red first"],
)
def test_what_a_file_states_of_its_images_is_done(
    net, stated: dict[str, str], changed: Callable[[np.ndarray], np.ndarray]
) -> None:
    source = net(nn.Conv2d(3, 3, 1, bias=False), shape=(1, 3, 4, 4))
    file = onnx.load(source.name)
    before = source.identity()
    for name, value in stated.items():
        file.metadata_props.add(key=name, value=value)
    onnx.save(file, source.name)
    image = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)

    model = OnnxSource(source.name, output="y", head=False).open("cpu")

    pixels = changed(image.astype(np.float32).transpose(2, 0, 1)[None]).astype(np.float32)
    (expected,) = onnxruntime.InferenceSession(source.name).run(["y"], {"x": np.ascontiguousarray(pixels)})
    np.testing.assert_allclose(model.encode([image]).features, expected.mean((2, 3)), rtol=1e-4, atol=1e-5)
    assert source.identity() != before


def test_scale_overrides_what_a_graph_seems_to_expect_and_each_result_says_so(net) -> None:
    source = net(Rescaled("divided"))

    model = OnnxSource(source.name, scale=True).open("cpu")
    stated = OnnxSource(source.name, mean=0.5).open("cpu")  # mean and std are those of 0..1
    unsaid = net().open("cpu")

    assert "0..1; mean 0" in model.facts.preprocessing
    assert model.notes == (model.facts.input_note,)
    assert "0..1; mean 0.5" in stated.facts.preprocessing
    assert "as set, but the model seems to expect 0..255: the file rescales it to 0..1" in stated.notes[0]
    assert (unsaid.notes, "assumed" in unsaid.facts.input_note) == ((), True)


@pytest.mark.parametrize(
    ("shape", "layout", "channels"),
    [((1, 4, 16, 16), None, 4), ((1, 16, 16, 2), None, 2), ((1, 6, 16, 16), "NCHW", 6)],
)
def test_another_number_of_channels_is_named(
    net, shape: tuple[int, ...], layout: str | None, channels: int
) -> None:
    source = net(nn.Flatten(), shape=shape)

    with pytest.raises(ModelError, match=rf"takes {channels} channels; images have 3, or 1 if grey"):
        OnnxSource(source.name, layout=layout).open("cpu")


def test_a_fixed_batch_axis_is_filled_up(net) -> None:
    fixed = net(shape=(4, 3, 16, 16), dynamic_axes=None).open("cpu").encode(IMAGES)
    free = net().open("cpu").encode(IMAGES)

    np.testing.assert_allclose(fixed.features, free.features, atol=1e-6)
    np.testing.assert_allclose(fixed.source_probs, free.source_probs, atol=1e-6)


def test_any_tensor_of_the_graph_may_be_read(net) -> None:
    source = net()
    first = onnx.load(source.name).graph.node[0].output[0]

    assert OnnxSource(source.name, output=first).open("cpu").facts.width == 8
    with pytest.raises(ModelError, match="no tensor 'nothing'. Its outputs: y; its last tensors: .*y"):
        OnnxSource(source.name, output="nothing").open("cpu")


def test_open_height_and_width_ask_for_a_size(net) -> None:
    source = net(dynamic_axes={"x": {0: "n", 2: "height", 3: "width"}})

    with pytest.raises(ModelError, match=r"'x' \(\? x 3 x \? x \?\).*open.*size=224"):
        source.open("cpu")
    assert OnnxSource(source.name, size=20).open("cpu").facts.input == "3 x 20 x 20"


def test_a_graph_without_a_batch_axis_says_so(net) -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = small_net()

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            return self.net(picture[None])[0]

    with pytest.raises(ModelError, match="no batch axis"):
        net(Bare(), shape=(3, 16, 16), dynamic_axes=None).open("cpu")


def test_an_output_without_a_batch_axis_says_so(net) -> None:
    class Mixed(nn.Module):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return batch.mean((0, 2, 3), keepdim=True)

    with pytest.raises(ModelError, match="for 2 examples: it has no batch axis"):
        net(Mixed()).open("cpu")


def test_channels_may_come_last(net) -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = small_net()

        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return self.net(batch.permute(0, 3, 1, 2))

    first = net().open("cpu").encode(IMAGES).features
    last = net(Last(), shape=(1, 16, 16, 3)).open("cpu")

    np.testing.assert_allclose(last.encode(IMAGES).features, first, atol=1e-6)
    assert "NHWC" in last.facts.preprocessing


def test_a_truncated_file_fails_as_a_model_and_not_as_a_request(net) -> None:
    source = net()
    path = Path(source.name)
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(ModelError, match=r"net\.onnx' is not an ONNX model, or it is truncated"):
        source.modality()

    read, _, modality = read_source(Named(Address.parse(f"onnx:{path}"), source))
    assert (type(read.plugin), modality) == (BrokenSource, None)  # its jobs are failed rows


def test_weights_in_another_file_belong_to_the_model(net, tmp_path: Path) -> None:
    inside = net().open("cpu").encode(IMAGES).features
    path = tmp_path / "apart.onnx"
    onnx.save(
        onnx.load(net().name), path, save_as_external_data=True, location="apart.data", size_threshold=0
    )
    source = OnnxSource(str(path), mean=net().mean, std=net().std)
    identity = source.identity()

    np.testing.assert_allclose(source.open("cpu").encode(IMAGES).features, inside, atol=1e-6)
    content = bytearray((tmp_path / "apart.data").read_bytes())
    content[0] ^= 1
    (tmp_path / "apart.data").write_bytes(content)
    assert OnnxSource(source.name, mean=net().mean, std=net().std).identity() != identity
    (tmp_path / "apart.data").unlink()
    with pytest.raises(ModelError, match=r"keeps weights in 'apart\.data', and there is no such file"):
        source.modality()


def test_a_graph_that_says_nothing_of_its_channels_asks(net) -> None:
    source = net(dynamic_axes={"x": {0: "n", 1: "channels", 2: "height", 3: "width"}})

    with pytest.raises(ModelError, match=r"'x' \(\? x \? x \? x \?\).*Write layout='NCHW'"):
        source.open("cpu")
    assert OnnxSource(source.name, layout="NCHW", size=20).open("cpu").facts.input == "3 x 20 x 20"


def test_tokens_without_a_tokenizer_say_what_to_write(tmp_path: Path) -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(9, 4)

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            return self.table(input_ids)

    axes = {"input_ids": {0: "texts", 1: "tokens"}}
    probe = torch.ones(1, 3, dtype=torch.int64)
    source = exported(Table(), tmp_path / "t.onnx", probe, input_names=["input_ids"], dynamic_axes=axes)

    with pytest.raises(ModelError, match=r"no tokenizer in .*save_pretrained"):
        source.open("cpu")


def test_the_same_file_elsewhere_is_the_same_model(net, tmp_path: Path) -> None:
    source = net()
    (tmp_path / "copy.onnx").write_bytes(Path(source.name).read_bytes())

    assert OnnxSource(str(tmp_path / "copy.onnx")).identity() == source.identity()
    assert OnnxSource(source.name, mean=0.5).identity() != source.identity()


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"layout": "NCWH"}, UnknownName), ({"pooling": "max"}, UnknownName), ({"std": 0.0}, UsageError)],
)
def test_a_wrong_setting_is_refused(net, settings: dict[str, Any], error: type[UsageError]) -> None:
    with pytest.raises(error):
        OnnxSource(net().name, **settings).check()
