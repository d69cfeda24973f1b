"""The user's own torch module: ``torch:package.module:callable``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.errors import ModelError, UnknownName, UsageError
from assay.core.keys import FLOAT32
from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, file_hash, identity_of, require_file
from assay.encoders.pixel_changes import PixelChanges
from assay.encoders.pixels import OtherChannels, PixelRecipe, Rounding, naming_channels
from assay.encoders.precision import Precision, check_dtype
from assay.encoders.renaming import check_rename
from assay.environment.hub_client import opening
from assay.environment.hub_errors import model_error
from assay.models.torch.importing import current_folder, imported
from assay.plugins.address import FrozenDict, thawed
from assay.plugins.user_code import hash_of_files, imported_beside

if TYPE_CHECKING:
    from assay.encoders.images import Forward, ImageEncoder

_PROGRAMS = (".pt2", ".pt", ".ts", ".torchscript")  # torch.export, and else TorchScript
_SIDE = 224  # pixels, as most models read
_READABLE = (Modality.IMAGE, Modality.TEXT)


@dataclass(frozen=True, slots=True)
class TorchSource(ModelSource):
    """A callable that returns a ``torch.nn.Module``, or a file of torch.export (.pt2) or TorchScript (.pt).

    A module for texts (``reads='text'``) is called with a list of texts and returns a tensor, texts x width.

    The module is imported from the current directory or from PYTHONPATH: it is code that you trust, as a
    file of TorchScript is.
    Features are the output of ``layer``; else what enters the classification head; else the output. Maps are
    averaged over their positions.

    >>> TorchSource("torch.nn:Identity", arguments=(0,)).check()

    Attributes:
        arguments: Passed to the callable, in order; or by name, as in ``{'width': 64}``.
        checkpoint: A file with the weights; None where the callable loads them, or for random ones. What
            the callable loads itself is in no key: name it here, or delete the store when it changes.
        rename: How names of the checkpoint begin, and how they begin in the module, as in
            ``(('backbone.', ''), ('projector.', None))``; None leaves those out.
        pretrained: False for the same architecture with random weights: the checkpoint is not read.
        seed: The seed of random weights.
        reads: "image" or "text"; the settings below are for images.
        size: The side of the input in pixels; None for that of a file of torch.export, and else 224.
        channels: 3 for RGB, 1 for grey, as a module that reads one channel is given in any case.
        mean: The value subtracted from the pixels.
        std: The divisor after subtracting the mean.
        crop: The fraction of the resized short side kept by the centre crop; None for all of it.
        interpolation: The resize filter, such as "bicubic".
        rounding: The rounding of half pixels: "nearest", or "torchvision" as in its transforms.
        scale: False for pixels in 0..255 instead of 0..1.
        layer: The name of the layer whose output is read; TorchScript shows none.
        head: False if the output is features, not class scores.
        dtype: The precision of encoding: "auto", "float32", "bfloat16" or "float16".
    """

    arguments: tuple[object, ...] = ()
    checkpoint: str | None = None
    rename: tuple[tuple[str, str | None], ...] = ()
    pretrained: bool = True
    seed: int = 0
    reads: str = "image"
    size: int | None = None
    channels: int = 3
    mean: tuple[float, ...] | float = 0.0
    std: tuple[float, ...] | float = 1.0
    crop: float | None = None
    interpolation: str = "bilinear"
    rounding: str = "nearest"
    scale: bool = True
    layer: str | None = None
    head: bool = True
    dtype: str = "auto"

    summary: ClassVar[str] = "your own torch module, from a file or a package"
    packages: ClassVar[tuple[str, ...]] = ("torch",)

    def check(self) -> None:
        """Raise ``UsageError`` for names without a callable, missing files and wrong settings."""
        if self.reads not in _READABLE:
            raise UnknownName("modality of this source", self.reads, _READABLE)
        check_dtype(self.dtype)
        self._recipe()
        if self._is_program:
            self._check_program()
            return
        module, _, attribute = self.name.partition(":")
        if not attribute or not all(part.isidentifier() for part in [*module.split("."), attribute]):
            raise UsageError(
                f"Cannot read 'torch:{self.name}'. Write package.module:callable, as in 'torch:nets:build'."
            )
        if self._file() is None:
            raise UsageError(
                f"There is no Python module '{module}'. Write one of the current folder, or set PYTHONPATH."
            )
        if self.checkpoint is not None:
            require_file(self.checkpoint)
        check_rename(self.rename)

    def modality(self) -> Modality:
        """Return the modality in the settings."""
        return Modality(self.reads)

    def identity(self) -> str:
        """Return torch's version, the settings, and hashes of the source file and of the checkpoint."""
        import torch

        if self._is_program:
            return identity_of(f"torch {torch.__version__} {file_hash(self.name)}", replace(self, name=""))
        file = self._file()
        code = "unknown code" if file is None else file_hash(file)
        if beside := self._beside():
            code += f" with {hash_of_files(beside)}"
        return identity_of(f"torch {torch.__version__} {code}", self, self.checkpoint)

    def code(self) -> str:
        """Return the module that is imported, or the program that runs; a file of torch.export is neither."""
        if self._is_program:
            return "" if self.name.endswith(".pt2") else self.name
        return self.name.partition(":")[0]

    def untrained(self) -> ModelSource | None:
        """Return the same architecture with random weights; None where the callable may load its own."""
        if self._is_program or (self.pretrained and self.checkpoint is None):
            return None
        return replace(self, pretrained=False, checkpoint=None, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Import the callable, build the module, load its weights and return it on ``device``.

        A module that reads one channel is given grey images.
        """
        try:
            with naming_channels():
                return self._opened(device)
        except OtherChannels as error:
            if error.takes != 1 or self.channels == 1:
                raise
        return replace(self, channels=1).open(device)

    def _opened(self, device: str) -> Model:
        from assay.encoders.string_encoder import StringEncoder
        from assay.encoders.weights import load_checkpoint

        if self._is_program:
            return self._open_program(device)
        module = self._build()
        if self.checkpoint is not None and self.pretrained:
            load_checkpoint(module, self.checkpoint, self.rename)
            origin = Origin(self.checkpoint)
        else:
            origin = Origin(f"as built by {self.name}, seed {self.seed}", is_random=not self.pretrained)
        if self.modality() is Modality.TEXT:
            return StringEncoder(module, device, origin, precision=self._precision(module, device))
        recipe = self._recipe()
        forward = self._forward(module, recipe)
        return self._encoder(module, forward, recipe, device, origin)

    def _precision(self, module: Any, device: str) -> Precision:
        from assay.encoders.torch_model import own_precision

        if self.dtype == FLOAT32:
            module.float()
        return own_precision(self.dtype, device, module)

    def _encoder(
        self, module: Any, forward: Forward, recipe: PixelRecipe, device: str, origin: Origin
    ) -> ImageEncoder:
        from assay.encoders.first_input import assumed_scaling
        from assay.encoders.images import ImageEncoder

        is_assumed = (self.scale, self.mean, self.std) == (True, 0.0, 1.0)
        scaling = assumed_scaling(module, (recipe.channels, *recipe.size)) if is_assumed else None
        precision = self._precision(module, device)
        return ImageEncoder(module, forward, recipe, device, origin, scaling=scaling, precision=precision)

    @property
    def _is_program(self) -> bool:
        return self.name.endswith(_PROGRAMS)

    def _check_program(self) -> None:
        require_file(self.name)
        if self.arguments or self.checkpoint is not None or not self.pretrained:
            raise UsageError(
                f"'{self.name}' has its weights inside. Leave out arguments, checkpoint and pretrained."
            )
        if self.reads != Modality.IMAGE:
            raise UsageError(f"'{self.name}' can read images alone. Name a callable for texts.")

    def _open_program(self, device: str) -> Model:
        from assay.models.torch.program_reading import read_program
        from assay.models.torch.programs import open_program

        program = open_program(require_file(self.name))
        recipe = self._recipe(program.shape[-1] if len(program.shape) == 4 else None)
        size = (recipe.channels, *recipe.size)
        stated = program.shape[1] if len(program.shape) == 4 else None
        if stated not in (None, recipe.channels):
            raise OtherChannels(int(stated or 0))
        with opening(f"torch:{self.name}"), naming_channels():
            forward = read_program(program, self.layer, size, head=self.head)
            origin = Origin(f"torch: {self.name}")
            return self._encoder(program, forward, recipe, device, origin)

    def _forward(self, module: Any, recipe: PixelRecipe) -> Forward:
        from assay.encoders.heads import read_head, read_layer, read_output

        module.eval()
        if self.layer is not None:
            return read_layer(module, self.layer)
        if not self.head:
            return read_output(module)
        return read_head(module, (recipe.channels, *recipe.size))

    def _build(self) -> Any:
        from torch import nn

        from assay.encoders.weights import seeded

        path, _, attribute = self.name.partition(":")
        try:
            with current_folder(), seeded(self.seed):
                build = getattr(imported(path, self._file(), self._beside()), attribute, None)
                module = self._called(build) if callable(build) else None
        except (Exception, SystemExit) as error:  # the user's own code may raise anything
            raise model_error(f"torch:{self.name}", error) from error
        if not callable(build):
            raise ModelError(f"Module '{path}' has no callable '{attribute}'. Write the name of one.")
        if not isinstance(module, nn.Module):
            raise ModelError(
                f"'torch:{self.name}' returned a {type(module).__name__}. "
                f"Name a callable that returns a torch module."
            )
        return module

    def _called(self, build: Callable[..., object]) -> object:
        if isinstance(self.arguments, FrozenDict):
            return build(**{str(name): thawed(value) for name, value in self.arguments})
        return build(*map(thawed, self.arguments))

    def _recipe(self, exported: int | None = None) -> PixelRecipe:
        if self.rounding not in list(Rounding):
            raise UnknownName("rounding", self.rounding, Rounding)
        size = self.size or exported or _SIDE
        changes = PixelChanges(size, self.crop, self.mean, self.std, self.interpolation)
        changes.check()
        rounding = Rounding(self.rounding)
        plain = PixelRecipe(size, size, channels=self.channels, scale=self.scale, rounding=rounding)
        return changes.applied_to(plain, 1.0)

    def _beside(self) -> tuple[Path, ...]:
        """Return the files of the user that the module imports, from its folder or its package."""
        file, depth = self._file(), self.name.partition(":")[0].count(".")
        if file is None:
            return ()
        is_package = file.name == "__init__.py"
        return imported_beside(file, file.parents[depth + is_package])

    def _file(self) -> Path | None:
        top, *rest = self.name.partition(":")[0].split(".")
        importlib.invalidate_caches()  # the user may have written the module a moment ago
        spec = PathFinder.find_spec(top, [str(Path.cwd()), *sys.path])
        if spec is None or spec.origin is None:
            return None
        if not rest:
            return Path(spec.origin)
        inside = Path(spec.origin).parent.joinpath(*rest)
        files = (inside.with_suffix(".py"), inside / "__init__.py")
        return next((file for file in files if file.is_file()), None)
