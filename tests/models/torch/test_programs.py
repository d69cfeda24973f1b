from __future__ import annotations

import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from assay.core.errors import CheckpointError, ModelError, UsageError
from assay.models.torch import TorchSource

IMAGES = [np.random.default_rng(row).integers(0, 256, (40, 50, 3), dtype=np.uint8) for row in range(5)]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 5)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.body(batch).mean((2, 3))))


@pytest.fixture(scope="module")
def net() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Net().eval()


def exported(
    module: nn.Module, path: Path, shape: tuple[int, ...] = (2, 3, 16, 16), *, is_open: bool = True
) -> TorchSource:
    sizes = ({0: torch.export.Dim("n")},) if is_open else None
    torch.export.save(torch.export.export(module, (torch.zeros(shape),), dynamic_shapes=sizes), path)
    return TorchSource(str(path))


def scripted(module: nn.Module, path: Path) -> TorchSource:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would rather have torch.export
        torch.jit.script(module).save(path)
    return TorchSource(str(path), size=16)


def expected(net: Net) -> tuple[np.ndarray, np.ndarray]:
    batch = TorchSource("a:b", size=16)._recipe(16).read(IMAGES, "cpu")
    with torch.no_grad():
        features = net.body(batch).mean((2, 3))
        return features.numpy(), net.head(features).softmax(1).numpy()


@pytest.mark.parametrize("form", ["pt2", "pt2 of four", "pt"])
def test_a_saved_module_is_read_before_its_head(net: Net, tmp_path: Path, form: str) -> None:
    if form == "pt":
        source = scripted(net, tmp_path / "net.pt")
    else:
        source = exported(net, tmp_path / "net.pt2", (4, 3, 16, 16), is_open=form == "pt2")
    source.check()
    model = source.open("cpu")

    features, probs = model.encode(IMAGES)[:2]

    np.testing.assert_allclose(features, expected(net)[0], atol=1e-5)
    np.testing.assert_allclose(probs, expected(net)[1], atol=1e-5)
    assert model.facts.input == "3 x 16 x 16"
    assert [matrix.shape for matrix in model.weights()] == [(8, 27), (5, 8)]


@pytest.mark.parametrize("form", ["pt2", "pt"])
def test_real_weights_say_the_same_once_they_are_saved(
    realdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.syspath_prepend(realdata)
    arguments = (str(realdata / "weights"), "resnet20_cifar10")
    built = TorchSource("realdata_models:load", arguments=arguments, size=32).open("cpu")
    module = sys.modules["realdata_models"].load(*arguments).eval()
    path = tmp_path / f"net.{form}"
    source = exported(module, path, (2, 3, 32, 32)) if form == "pt2" else scripted(module, path)

    model = TorchSource(source.name, size=32).open("cpu")

    np.testing.assert_allclose(model.encode(IMAGES).features, built.encode(IMAGES).features, atol=1e-4)
    np.testing.assert_allclose(
        model.encode(IMAGES).source_probs, built.encode(IMAGES).source_probs, atol=1e-5
    )
    assert model.facts.macs == built.facts.macs


@pytest.mark.parametrize("layer", ["body.0", "relu"])
def test_layers_of_an_exported_module_may_be_named(net: Net, tmp_path: Path, layer: str) -> None:
    source = exported(net, tmp_path / "net.pt2")
    batch = TorchSource("a:b")._recipe(16).read(IMAGES, "cpu")
    with torch.no_grad():
        maps = net.body[0](batch) if layer == "body.0" else net.body(batch)

    features, probs = TorchSource(source.name, layer=layer).open("cpu").encode(IMAGES)[:2]

    np.testing.assert_allclose(features, maps.mean((2, 3)), atol=1e-5)
    assert probs is None
    with pytest.raises(ModelError, match="no layer 'nothing'. Its last layers: body.0, body.1, .*head"):
        TorchSource(source.name, layer="nothing").open("cpu")


def test_layers_of_torchscript_cannot_be_named(net: Net, tmp_path: Path) -> None:
    source = scripted(net, tmp_path / "net.pt")

    with pytest.raises(ModelError, match="TorchScript"):
        TorchSource(source.name, size=16, layer="body").open("cpu")


def test_an_output_of_features_is_taken_as_it_is(net: Net, tmp_path: Path) -> None:
    source = exported(net, tmp_path / "net.pt2")

    facts = TorchSource(source.name, head=False).open("cpu").facts

    assert (facts.width, facts.source_classes) == (5, 0)


def test_a_module_that_was_exported_for_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"exported for training. Call module\.eval\(\)"):
        exported(Net().train(), tmp_path / "net.pt2").open("cpu")


class Runs:
    def __reduce__(self) -> Any:
        return print, ("this was run",)


def test_a_pickle_inside_of_an_archive_is_never_run(
    net: Net, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = exported(net, tmp_path / "net.pt2")
    with zipfile.ZipFile(source.name) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    hostile = tmp_path / "inputs.pt"
    torch.save(Runs(), hostile)
    with zipfile.ZipFile(source.name, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, hostile.read_bytes() if "/sample_inputs/" in name else content)

    with pytest.raises(CheckpointError, match="runs code when it is opened"):
        source.open("cpu")
    assert "this was run" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["net.pt2", "net.pt"])
def test_a_damaged_file_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not a module")

    with pytest.raises(CheckpointError, match="damaged|cannot be opened"):
        TorchSource(str(tmp_path / name)).open("cpu")


@pytest.mark.parametrize("settings", [{"checkpoint": "w.pth"}, {"pretrained": False}, {"reads": "text"}])
def test_settings_of_callables_are_refused(net: Net, tmp_path: Path, settings: dict[str, Any]) -> None:
    (tmp_path / "net.pt").touch()

    with pytest.raises(UsageError, match="Leave out|images alone"):
        TorchSource(str(tmp_path / "net.pt"), **settings).check()


class Behind(nn.Module):
    """The net behind what some people put in front of one."""

    def __init__(self, net: nn.Module, kind: str) -> None:
        super().__init__()
        self.net = net
        self.kind = kind

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        if self.kind == "divided":
            batch = batch / 127.5 - 1
        elif self.kind == "reversed":
            batch = batch.flip(1) - 117
        elif self.kind == "unit":
            batch = (batch - 0.45) / 0.22
        return self.net(batch)


@pytest.mark.parametrize("form", [exported, scripted])
@pytest.mark.parametrize(("kind", "warns"), [("divided", 1), ("reversed", 1), ("unit", 0), ("plain", 0)])
def test_a_program_that_seems_to_expect_pixels_in_0_to_255_says_so(net, tmp_path, form, kind, warns) -> None:
    source = form(Behind(net, kind).eval(), tmp_path / f"net.{'pt' if form is scripted else 'pt2'}")

    notes = source.open("cpu").notes

    assert len(notes) == warns
    assert all("expect 0..255: it" in note and "scale=False" in note for note in notes)
    assert not TorchSource(source.name, size=16, scale=False).open("cpu").notes
