"""ONNX models, run by onnxruntime: ``onnx:./model.onnx``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from assay.core.errors import MissingPackage, ModelError, UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.paths import path_of
from assay.core.task import Modality
from assay.encoders.identity import Origin, file_hash, identity_of, require_file
from assay.encoders.input_range import Scaling, scaling
from assay.encoders.pixel_changes import PixelChanges, centred
from assay.encoders.pixels import Rounding, require_channels
from assay.encoders.pooling import Pooling
from assay.environment.hub_client import opening
from assay.models.onnx.image_metadata import is_blue_first, is_centred, stated_range

if TYPE_CHECKING:
    from assay.models.onnx.feeds import ImageFeeds, TextFeeds
    from assay.models.onnx.graph import Cut, OnnxGraph, Port

_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json")
_LAYOUTS = ("NCHW", "NHWC")
_MOST_CHANNELS = 16  # an axis that is as short is none of pixels


@dataclass(frozen=True, slots=True)
class OnnxSource(ModelSource):
    """An ONNX file that reads images, or the tokens of texts; its weights are frozen.

    Features are the tensor called ``output``; else an output called features, embedding or the like; else
    what enters the classification head, which is found in the graph. Maps are averaged over their
    positions, and states of tokens are pooled. A file for texts needs the files of its tokenizer next to it.

    >>> OnnxSource("missing.onnx").check()
    Traceback (most recent call last):
    assay.core.errors.UsageError: There is no file 'missing.onnx'. Write the path of a checkpoint that exists.

    Attributes:
        output: The name of the output, or of any tensor of the graph, that holds the features.
        head: False if the output is features, not class scores.
        tokenizer: For texts: the folder of the tokenizer; None for the folder of the file.
        pooling: For texts: "mean", "cls" or "last", if features are per token.
        max_tokens: For texts: the maximum number of tokens.
        size: For images, as all below: side of the input in pixels, where the graph leaves it open.
        layout: "NCHW" or "NHWC", where the graph leaves it open.
        mean: The value subtracted from the pixels.
        std: The divisor after subtracting the mean.
        crop: The fraction of the resized short side kept by the centre crop; None for all of it.
        interpolation: The resize filter, such as "bicubic".
        rounding: The rounding of half pixels: "nearest", or "torchvision" as in its transforms.
        scale: True for pixels in 0..1, False for 0..255; None for what the graph expects, and 0..1 where it
            does not say or you write mean or std. Input of whole numbers gets raw pixels.
    """

    output: str | None = None
    head: bool = True
    tokenizer: str | None = None
    pooling: str = "mean"
    max_tokens: int = 256
    size: int | None = None
    layout: str | None = None
    mean: tuple[float, ...] | float = 0.0
    std: tuple[float, ...] | float = 1.0
    crop: float | None = None
    interpolation: str = "bilinear"
    rounding: str = "nearest"
    scale: bool | None = None

    summary: ClassVar[str] = "ONNX files, for images or texts"
    packages: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime")

    def check(self) -> None:
        """Raise ``UsageError`` for a missing file and for invalid settings."""
        require_file(self.name)
        self._changes().check()
        if self.layout not in (None, *_LAYOUTS):
            raise UnknownName("layout", str(self.layout), _LAYOUTS)
        if self.rounding not in list(Rounding):
            raise UnknownName("rounding", self.rounding, Rounding)
        if self.pooling not in ("mean", "cls", "last"):
            raise UnknownName("pooling", self.pooling, ("mean", "cls", "last"))
        if self.max_tokens < 3:
            raise UsageError(f"Setting 'max_tokens' is {self.max_tokens}; write 3 or more, as in 256.")

    def modality(self) -> Modality:
        """Return texts where the graph reads tokens, else images."""
        return Modality.TEXT if _reads_tokens(self._graph()) else Modality.IMAGE

    def identity(self) -> str:
        """Return the version of onnxruntime, the settings, and hashes of the files."""
        graph = self._graph()
        files = [file_hash(file) for file in (graph.path, *graph.external_files)]
        if _reads_tokens(graph):
            files.extend(file_hash(file) for file in _tokenizer_files(self._tokenizer_folder()))
        placeless = replace(self, name="", tokenizer=None, scale=self._scale_in_identity(graph))
        stated = [*(["blue first"] * is_blue_first(graph.facts)), *(["-1..1"] * self._is_centred(graph))]
        return identity_of(
            f"onnxruntime {metadata.version('onnxruntime')} {' '.join([*files, *stated])}", placeless
        )

    def open(self, device: str) -> Model:
        """Read the file, find its features and return it on ``device``."""
        from assay.models.onnx.session import OnnxEncoder

        graph = self._graph()
        cut = graph.cut(self.output, head=self.head)
        feeds = self._text_feeds(graph) if _reads_tokens(graph) else self._image_feeds(graph, cut)
        origin = Origin(f"onnx: {self.name}", graph.licence)
        with opening(f"onnx:{self.name}"):
            return OnnxEncoder(graph, cut, feeds, device, origin)

    def _graph(self) -> OnnxGraph:
        from assay.models.onnx.graph import OnnxGraph

        return OnnxGraph(self.name)

    def _image_feeds(self, graph: OnnxGraph, cut: Cut) -> ImageFeeds:
        from assay.models.onnx.feeds import ImageFeeds

        port = _image_port(graph)
        channels_last, channels, size = self._shape(port)
        pixels = self._scaling(graph)
        recipe = replace(
            centred(size, 1.0), channels=channels, scale=pixels.scale, rounding=Rounding(self.rounding)
        )
        changes = replace(self._changes(), image_size=None)
        if self._is_centred(graph):
            changes = replace(changes, mean=0.5, std=0.5)
        is_output = cut.features in {output.name for output in graph.outputs}  # inside, channels come first
        axes = (1, 2) if channels_last and is_output else (2, 3)
        pixel_recipe = changes.applied_to(recipe, Fraction(1))
        blue_first = channels == 3 and is_blue_first(graph.facts)
        return ImageFeeds(pixel_recipe, port, channels_last, axes, pixels, blue_first)

    def _is_centred(self, graph: OnnxGraph) -> bool:
        """Return whether pixels are -1..1, as the file states and the user does not deny."""
        return self.scale is None and (self.mean, self.std) == (0.0, 1.0) and is_centred(graph.facts)

    def _scaling(self, graph: OnnxGraph) -> Scaling:
        """Return how pixels enter the graph; mean and std are those of 0..1 unless the user wrote scale."""
        is_stated = self.scale is None and (self.mean, self.std) != (0.0, 1.0)
        port = _image_port(graph)
        channels_last, channels, size = self._shape(port)
        shape = (*size, channels) if channels_last else (channels, *size)
        found = graph.expected_range(port, (port.shape[0] or 1, *shape)) or stated_range(graph.facts)
        return scaling(True if is_stated else self.scale, found)

    def _scale_in_identity(self, graph: OnnxGraph) -> bool:
        if self.scale is not None or _reads_tokens(graph):
            return self.scale is not False
        try:
            port = _image_port(graph)
            return port.dtype == np.uint8 or self._scaling(graph).scale  # raw pixels are as they always were
        except ModelError:  # it cannot be opened either
            return True

    def _shape(self, port: Port) -> tuple[bool, int, tuple[int, int]]:
        """Return whether channels come last, how many they are, and height and width."""
        _, *axes = port.shape
        layout = self.layout or _layout(port)
        channels_last = layout == "NHWC"
        channels = axes[2] if channels_last else axes[0]
        require_channels(channels, f"Input {port.describe()} of '{self.name}'")
        if port.dtype == np.int8:
            raise ModelError(
                f"Input {port.describe()} of '{self.name}' is int8, into which 0..255 does not fit. "
                "Export it with uint8 or float32 input."
            )
        sides = [side or self.size for side in (axes[:2] if channels_last else axes[1:])]
        if None in sides:
            raise ModelError(
                f"Input {port.describe()} of '{self.name}' leaves height or width open. "
                f"Write the side of the input, as in size=224."
            )
        if self.size is not None and set(sides) != {self.size}:
            raise ModelError(
                f"Input {port.describe()} of '{self.name}' has a fixed size. Leave out size={self.size}."
            )
        return channels_last, channels or 3, (int(sides[0] or 0), int(sides[1] or 0))

    def _text_feeds(self, graph: OnnxGraph) -> TextFeeds:
        from assay.models.onnx.feeds import TextFeeds

        known = ("input_ids", "attention_mask", "token_type_ids")
        strange = [port.describe() for port in graph.inputs if port.name not in known]
        if strange:
            raise ModelError(
                f"'{self.name}' reads {', '.join(strange)}; a text model reads {', '.join(known)}. "
                "Export its encoder alone."
            )
        folder = self._tokenizer_folder()
        if not _tokenizer_files(folder):
            raise ModelError(
                f"There is no tokenizer in '{folder}'. Write its folder, as in tokenizer='./model', or save "
                "it there with tokenizer.save_pretrained(folder)."
            )
        try:
            from transformers import AutoTokenizer
        except ModuleNotFoundError as error:
            raise MissingPackage("hf", error.name or "transformers") from error
        from assay.encoders.tokens import Tokens

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        ports = tuple(sorted(graph.inputs, key=lambda port: known.index(port.name)))
        fixed = ports[0].shape[1] or self.max_tokens
        most = min(self.max_tokens, tokenizer.model_max_length, fixed)
        return TextFeeds(Tokens(tokenizer, int(most)), ports, Pooling.named(self.pooling))

    def _tokenizer_folder(self) -> Path:
        return path_of(self.name).parent if self.tokenizer is None else path_of(self.tokenizer)

    def _changes(self) -> PixelChanges:
        return PixelChanges(self.size, self.crop, self.mean, self.std, self.interpolation)


def _reads_tokens(graph: OnnxGraph) -> bool:
    return any(port.name == "input_ids" for port in graph.inputs)


def _tokenizer_files(folder: Path) -> list[Path]:
    return [folder / name for name in _TOKENIZERS if (folder / name).is_file()]


def _image_port(graph: OnnxGraph) -> Port:
    """Return the one input that takes a batch of images, or raise what the graph reads instead."""
    reads = ", ".join(port.describe() for port in graph.inputs)
    if len(graph.inputs) == 1 and len(graph.inputs[0].shape) == 4:
        return graph.inputs[0]
    if len(graph.inputs) == 1 and len(graph.inputs[0].shape) == 3:
        raise ModelError(
            f"'{graph.path.name}' reads {reads}, which has no batch axis. Export it with a batch of one, "
            f"examples x channels x height x width."
        )
    raise ModelError(
        f"'{graph.path.name}' reads {reads}. A model is read that takes pictures, examples x channels x "
        "height x width, or tokens called input_ids."
    )


def _layout(port: Port) -> str:
    _, first, _, last = port.shape
    if first in (1, 3) and last not in (1, 3):
        return "NCHW"
    if last in (1, 3) and first not in (1, 3):
        return "NHWC"
    for channels, side in ((first, last), (last, first)):
        if channels and (not side or side > channels) and channels <= _MOST_CHANNELS:
            require_channels(channels, f"Input {port.describe()}")
    raise ModelError(
        f"Input {port.describe()} does not say where its channels are. Write layout='NCHW' or layout='NHWC'."
    )
