"""Reads checkpoints without executing their code, and loads them into an architecture."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from assay.core.errors import CheckpointError
from assay.encoders.identity import require_file
from assay.encoders.renaming import Rename, renamed, suggested

State = dict[str, torch.Tensor]

_WRAPPERS = (
    *("state_dict", "model_state_dict", "model_state", "model", "module", "net", "network", "weights"),
    *("params", "encoder", "backbone"),
    *("state_dict_ema", "model_ema", "ema_state_dict", "ema", "params_ema"),  # only where nothing else is
)
_PREFIXES = ("module.", "_orig_mod.")  # of names, added by torch's DataParallel and torch.compile
_COUNTS = ("n_averaged",)  # beside the weights of torch's AveragedModel
_OPTIONAL = "num_batches_tracked"  # torch itself loads a BatchNorm without it
_SHOWN = 3  # maximum number of names in a message


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed torch's generators (CPU and device) in the context, and restore their states afterwards."""
    on_cuda = device.startswith("cuda")
    with torch.random.fork_rng(devices=[torch.device(device)] if on_cuda else []):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would also reseed other accelerators
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def state_hash(module: nn.Module) -> str:
    """Return a hash of the names, types, shapes and values of all weights."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in module.state_dict().items():
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name}\0{values.dtype}\0{tuple(values.shape)}\0".encode())
        digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load_state(path: str | Path) -> State:
    """Read the tensors of a ``.safetensors`` file or of a torch checkpoint, by name.

    Raises:
        UsageError: The file does not exist.
        CheckpointError: The file is damaged, would execute code when loaded, or has no tensors.
    """
    file = require_file(path)
    if file.suffix == ".safetensors":
        return _load_safetensors(file)
    if not file.stat().st_size:
        raise CheckpointError(f"Checkpoint '{path}' is empty. Download or save it again.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # errors of unusual pickles are reported below
            loaded = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"Checkpoint '{path}' is refused: reading it would run code from the file, or it is damaged. "
            f"Save its state dict with torch.save(model.state_dict(), path), or as .safetensors."
        ) from error
    except Exception as error:  # invalid files raise many types of errors
        raise CheckpointError(
            f"Checkpoint '{path}' cannot be read ({type(error).__name__}: {error}). Is it one of torch? "
            f"Download or save it again."
        ) from error
    return _without_prefix(_unwrap(loaded, file))


def load_checkpoint(module: nn.Module, path: str | Path, rename: Rename = ()) -> None:
    """Load the weights of a file into a module; all renamed names and all shapes must match."""
    state = load_state(path)
    for prefix in _PREFIXES:  # it was taken off, and is the module's own
        if all(name.startswith(prefix) for name in module.state_dict()):
            state = {prefix + name: tensor for name, tensor in state.items()}
    fit_state(module, renamed(state, rename), path)


def fit_state(module: nn.Module, state: Mapping[str, torch.Tensor], path: str | Path) -> None:
    """Load weights into a module; all names and shapes must match.

    Counts of batches, which older checkpoints of BatchNorm lack, stay as they are.
    """
    wanted = module.state_dict()
    counts = {name: tensor for name, tensor in wanted.items() if name.endswith(_OPTIONAL)}
    state = {**counts, **state}
    missing = [name for name in wanted if name not in state]
    unexpected = [name for name in state if name not in wanted]
    reshaped = [
        f"{name} is {tuple(state[name].shape)} where {tuple(wanted[name].shape)} is needed"
        for name in wanted
        if name in state and state[name].shape != wanted[name].shape
    ]
    faults = [
        *_listed("missing", missing),
        *_listed("unexpected", unexpected),
        *_listed("of another shape", reshaped),
    ]
    if faults:
        pairs = suggested(
            {name: wanted[name].shape for name in missing}, {name: state[name].shape for name in unexpected}
        )
        hint = "Name the architecture that it was saved from; where only the head differs, set num_classes."
        if not missing and not reshaped:
            pairs = _left_out(unexpected, list(wanted))
        if pairs:
            hint = f"Write rename={pairs!r} to read it under the names that are needed."
        raise CheckpointError(
            f"Checkpoint '{path}' does not fit {type(module).__name__}: {'; '.join(faults)}. {hint}"
        )
    module.load_state_dict(dict(state))


def _load_safetensors(file: Path) -> State:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return _without_prefix(load_file(file))
    except SafetensorError as error:
        raise CheckpointError(
            f"Checkpoint '{file}' cannot be read: {error}. Download or save it again."
        ) from error


def _unwrap(loaded: object, file: Path) -> State:
    while isinstance(loaded, Mapping):
        inside = next((loaded[key] for key in _WRAPPERS if isinstance(loaded.get(key), Mapping)), None)
        if inside is None:
            break
        loaded = inside
    if not isinstance(loaded, Mapping) or not loaded:
        raise CheckpointError(
            f"Checkpoint '{file}' holds no state dict. Save model.state_dict() with torch.save."
        )
    strange = [str(key) for key, value in loaded.items() if not isinstance(value, torch.Tensor)]
    if strange:
        raise CheckpointError(
            f"Checkpoint '{file}' holds things that are not weights: {_first(strange)}. "
            f"Save model.state_dict() alone."
        )
    return {str(key): value for key, value in loaded.items()}


def _without_prefix(state: State) -> State:
    """Return the weights under the names that they had before they were wrapped, however often."""
    weights = {name: tensor for name, tensor in state.items() if name not in _COUNTS}
    for prefix in _PREFIXES:
        if weights and all(name.startswith(prefix) for name in weights):
            return _without_prefix({name.removeprefix(prefix): tensor for name, tensor in weights.items()})
    return state


def _left_out(unexpected: Sequence[str], wanted: Sequence[str]) -> Rename:
    """Return pairs that leave out weights that a module does not have, such as those of a head."""
    parts = dict.fromkeys(name.partition(".")[0] + "." for name in unexpected if "." in name)
    if any(name.startswith(tuple(parts)) for name in wanted):  # a part of the module, with more in it
        parts = dict.fromkeys(name.rpartition(".")[0] + "." for name in unexpected)
    if any(name.startswith(tuple(parts)) for name in wanted) or not all("." in name for name in unexpected):
        parts = dict.fromkeys(unexpected)
    return tuple((part, None) for part in parts)


def _listed(what: str, names: Sequence[str]) -> tuple[str, ...]:
    return (f"{len(names)} {what} ({_first(names)})",) if names else ()


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
