from __future__ import annotations

import ast
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from assay.core.errors import CheckpointError, UsageError
from assay.encoders.identity import file_hash
from assay.encoders.renaming import renamed
from assay.encoders.weights import fit_state, load_checkpoint, load_state, seeded, state_hash


@pytest.fixture
def module() -> nn.Module:
    with seeded(0):
        return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("exploded"),))


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Bomb()}, tmp_path / "bomb.pth")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Bomb(), protocol=2))

    with pytest.raises(CheckpointError, match="refused"):
        load_state(tmp_path / "bomb.pth")
    with pytest.raises(CheckpointError):
        load_state(tmp_path / "plain.pkl")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state", "model_ema", "state_dict_ema"])
def test_wrapped_and_prefixed_weights_are_found(tmp_path: Path, module: nn.Module, wrapper: str) -> None:
    state = {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
    torch.save({wrapper: state, "epoch": 3}, tmp_path / "w.pth")

    loaded = load_state(tmp_path / "w.pth")

    assert loaded.keys() == module.state_dict().keys()


@pytest.mark.parametrize("prefix", ["module.module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_taken_off(tmp_path: Path, module: nn.Module, prefix: str) -> None:
    state = {prefix + name: tensor for name, tensor in module.state_dict().items()}
    torch.save(state, tmp_path / "w.pth")

    assert load_state(tmp_path / "w.pth").keys() == module.state_dict().keys()


def test_the_average_of_weights_is_read_without_its_count(tmp_path: Path, module: nn.Module) -> None:
    torch.save(torch.optim.swa_utils.AveragedModel(module).state_dict(), tmp_path / "w.pth")

    load_checkpoint(module, tmp_path / "w.pth")


def test_a_module_whose_own_part_is_called_module_loads(tmp_path: Path, module: nn.Module) -> None:
    wrapped = nn.ModuleDict({"module": module})
    torch.save(wrapped.state_dict(), tmp_path / "w.pth")

    load_checkpoint(wrapped, tmp_path / "w.pth")


def test_weights_go_before_their_average(tmp_path: Path, module: nn.Module) -> None:
    states = [{name: tensor + add for name, tensor in module.state_dict().items()} for add in (0, 1)]
    torch.save({"model_ema": states[1], "state_dict": states[0]}, tmp_path / "w.pth")

    assert torch.equal(load_state(tmp_path / "w.pth")["0.bias"], module.state_dict()["0.bias"])


def test_batch_norm_without_counts_of_batches_loads_as_torch_does(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    state = {name: value + 2 for name, value in module.state_dict().items() if "num_batches" not in name}
    torch.save({"state_dict": state}, tmp_path / "w.pth")

    load_checkpoint(module, tmp_path / "w.pth")

    assert torch.equal(module[1].running_mean, torch.full((4,), 2.0))
    with pytest.raises(CheckpointError, match=r"1 missing \(1\.running_var\)"):
        fit_state(module, {name: value for name, value in state.items() if "var" not in name}, "w.pth")


@pytest.mark.parametrize(
    ("extra", "pairs"),
    [
        (("head.fc.weight", "head.fc.bias"), "(('head.', None),)"),
        (("0.extra.weight",), "(('0.extra.', None),)"),
        (("0.mask", "scale"), "(('0.mask', None), ('scale', None))"),
    ],
)
def test_weights_that_are_too_many_can_be_left_out(
    module: nn.Module, extra: tuple[str, ...], pairs: str
) -> None:
    state = {**module.state_dict(), **{name: torch.zeros(1) for name in extra}}

    with pytest.raises(CheckpointError) as caught:
        fit_state(module, state, "w.pth")

    assert f"Write rename={pairs}" in str(caught.value)
    fit_state(module, renamed(state, ast.literal_eval(pairs)), "w.pth")


def test_safetensors_are_read(tmp_path: Path, module: nn.Module) -> None:
    pytest.importorskip("safetensors.torch").save_file(module.state_dict(), tmp_path / "w.safetensors")

    assert torch.equal(load_state(tmp_path / "w.safetensors")["0.bias"], module.state_dict()["0.bias"])


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_damaged_file_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not weights at all")

    with pytest.raises(CheckpointError, match=name):
        load_state(tmp_path / name)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.pth"):
        load_state("nowhere.pth")


def test_a_file_without_weights_says_so(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "w.pth")

    with pytest.raises(CheckpointError, match="epoch"):
        load_state(tmp_path / "w.pth")


def test_weights_that_do_not_fit_are_listed(module: nn.Module) -> None:
    state = {"0.weight": torch.zeros(5, 3), "0.bias": torch.zeros(4), "extra": torch.zeros(1)}

    with pytest.raises(CheckpointError) as caught:
        fit_state(module, state, "w.pth")

    message = str(caught.value)
    assert "2 missing (1.weight, 1.bias)" in message
    assert "1 unexpected (extra)" in message
    assert "0.weight is (5, 3) where (4, 3) is needed" in message


def test_half_precision_weights_fit(module: nn.Module) -> None:
    fit_state(module, {name: tensor.half() for name, tensor in module.state_dict().items()}, "w.pth")

    assert module[0].weight.dtype == torch.float32


def test_the_fingerprint_tells_weights_apart(module: nn.Module) -> None:
    before = state_hash(module)
    module[1].bias.data[0] += 1e-6

    assert state_hash(module) != before


def test_a_file_is_known_by_its_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"one")
    first = file_hash(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"another")

    assert first == file_hash(tmp_path / "b")
    assert first != file_hash(tmp_path / "a")


def test_random_weights_repeat_and_leave_the_state_alone() -> None:
    before = torch.get_rng_state()
    with seeded(3):
        first = torch.rand(2)
    with seeded(3):
        second = torch.rand(2)

    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
