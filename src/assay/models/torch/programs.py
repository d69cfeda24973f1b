"""Opens modules saved with their code: TorchScript (.pt) and torch.export (.pt2)."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import torch
from torch import nn

from assay.core.errors import CheckpointError
from assay.encoders.heads import only_tensor

_as_saved: Any = torch.jit.optimized_execution  # type: ignore[attr-defined]  # torch does not list it


@final
class Program(nn.Module):
    """A saved module; it is in evaluation mode already, where that is known, and stays as it was saved.

    Attributes:
        shape: The input shape, if the file states it; None for axes of any length.
    """

    def __init__(self, module: nn.Module, shape: tuple[int | None, ...]) -> None:
        super().__init__()
        self.module = module
        self.shape = shape

    def train(self, mode: bool = True) -> Program:
        """Leave the mode: what was exported has none."""
        return self

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Run the module; a batch of fixed size is filled up with its last example."""
        size = self.shape[0] if self.shape else None
        if size is None or len(batch) == size:
            return self._called(batch)
        pieces = torch.split(batch, size)
        filled = [
            torch.cat([piece, piece[-1:].expand(size - len(piece), *piece.shape[1:])]) for piece in pieces
        ]
        return torch.cat([self._called(piece)[: len(old)] for piece, old in zip(filled, pieces, strict=True)])

    def _called(self, batch: torch.Tensor) -> torch.Tensor:
        with _as_saved(False):
            output = self.module(batch)
        return only_tensor(output)


def open_program(path: Path) -> Program:
    """Open a file of torch.export or TorchScript.

    Raises:
        CheckpointError: It is damaged, runs Python objects when opened, or was exported for training.
    """
    if path.suffix == ".pt2":
        _must_be_safe(path)
        exported = _opened(path, torch.export.load)
        module = exported.module()
        nodes = list(module.graph.nodes)
        if any(_trains(node) for node in nodes):
            raise CheckpointError(
                f"'{path}' was exported for training. Call module.eval() before torch.export.export."
            )
        inputs = [node.meta["val"] for node in nodes if node.op == "placeholder"]
        if len(inputs) != 1:
            raise CheckpointError(f"'{path}' takes {len(inputs)} inputs; one batch of pictures is needed.")
        return Program(module, tuple(side if isinstance(side, int) else None for side in inputs[0].shape))
    module = _opened(path, torch.jit.load)
    return Program(module.eval(), ())


def _trains(node: Any) -> bool:
    name = str(node.target)
    if "dropout" in name:
        return len(node.args) > 2 and node.args[2] is True
    return "batch_norm" in name and len(node.args) > 5 and node.args[5] is True


def _opened(path: Path, load: Callable[..., Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch would rather have other formats
            return load(path) if load is torch.export.load else load(path, map_location="cpu")
    except Exception as error:  # torch raises many kinds; each fails this model alone
        text = str(error).partition("\n")[0]
        raise CheckpointError(
            f"'{path}' cannot be opened ({type(error).__name__}: {text}). A file of weights alone is given "
            "as checkpoint='...' to the callable that builds its module."
        ) from error


def _must_be_safe(path: Path) -> None:
    """Raise ``CheckpointError`` for an archive whose parts are pickles of more than tensors."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"'{path}' is damaged, or no file of torch.export. Save or download it again."
        ) from error
    with archive:
        names = archive.namelist()
        pickled = [name for name in names if "/sample_inputs/" in name]
        for listing in (name for name in names if name.endswith("_config.json")):
            parts = json.loads(archive.read(listing))["config"].values()
            folder = listing.rpartition("/")[0]
            pickled.extend(f"{folder}/{part['path_name']}" for part in parts if part.get("use_pickle"))
        for name in pickled:
            try:
                torch.load(io.BytesIO(archive.read(name)), weights_only=True)
            except Exception as error:
                raise CheckpointError(
                    f"'{path}' is refused: '{name}' in it runs code when it is opened. Export the module "
                    "again, with tensors alone as its inputs, weights and constants."
                ) from error
