"""The zoos: which architectures each has, how many names share one, and how one is looked at."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from coverage_page import SHAPES, Found, good
from coverage_transformers import FAMILIES, saved

from assay.core.model import Model, ModelSource
from assay.core.task import Example, Sound
from assay.models.timm import parameter_table

SIZES: tuple[int | None, ...] = (64, 96, 128, 224, None)  # pixels; None for what the model comes with
TOLERANCE = 1e-3  # of the largest feature
NOTHING = 1e-30  # a largest feature below which float32 has no digits to compare

PICTURES: list[Example] = [
    np.random.default_rng(row).integers(0, 256, (80, 100, 3), dtype=np.uint8) for row in range(3)
]


_ROUNDING = """
import sys, keras, numpy as np
keras.utils.set_random_seed(0)
keras.backend.set_floatx("float64")
name, size = sys.argv[1], int(sys.argv[2])
build = getattr(keras.applications, name)
model = build(weights=None, include_top=False, pooling="avg", input_shape=(size, size, 3))
pictures = np.random.default_rng(0).integers(0, 256, (3, size, size, 3)).astype("float64")
alone, together, near = (
    np.asarray(model(x, training=False)) for x in (pictures[:1], pictures, pictures[:1] * (1 + 1e-6))
)
print(*(np.abs(alone - other[:1]).max() / np.abs(alone).max() for other in (together, near)))
"""
TEXTS: list[Example] = ["a dog runs", "the cat sleeps under a mat", "a dog on the mat on a cat"]
SOUNDS: list[Example] = [
    Sound(np.random.default_rng(row).uniform(-1, 1, 6_000 + 4_000 * row).astype(np.float32), 16_000)
    for row in range(3)
]
SMALL_CLIPS = [
    f"{name} {tower}"
    for name in ("RN50", "RN50-quickgelu", "ViT-S-32-alt", "ViT-S-32", "ViT-M-32", "ViT-B-32", "ViT-B-16")
    for tower in ("image", "text")
] + [f"{name} image" for name in ("convnext_tiny", "MobileCLIP2-S0", "ViT-B-16-SigLIP", "ViTamin-S")]


class Zoo(ABC):
    """All models of one library."""

    @abstractmethod
    def names(self) -> Iterable[str]:
        """Return every architecture."""

    @abstractmethod
    def look(self, name: str, large: float) -> Found:
        """Open one and encode; of those with more weights than that, compute the shapes where that works."""

    def sharing(self, name: str) -> int:
        """Return how many names share it."""
        return 1


class TorchvisionZoo(Zoo):
    def names(self) -> Iterable[str]:
        import torchvision

        return torchvision.models.list_models(module=torchvision.models)

    def sharing(self, name: str) -> int:
        from torchvision.models import get_model_weights

        return len(get_model_weights(name))

    def look(self, name: str, large: float) -> Found:
        from torchvision.models import get_model_weights

        from assay.models.torchvision import TorchvisionSource

        for weights in get_model_weights(name):
            recipe = TorchvisionSource(f"{name}.{weights.name}")._recipe()
            recipe.read(PICTURES, "cpu")
        source = functools.partial(TorchvisionSource, name, pretrained=False)
        return examined(Found("torchvision", name, self.sharing(name), opened=True), source, head_width)


class TimmZoo(Zoo):
    def names(self) -> Iterable[str]:
        import timm

        counts = {name: parameter_table().get(name, math.inf) for name in timm.list_models()}
        return sorted(counts, key=lambda name: (counts[name], name))

    def sharing(self, name: str) -> int:
        return max(_timm_tags()[name], 1)

    def look(self, name: str, large: float) -> Found:
        import timm
        from timm.models import get_pretrained_cfg

        from assay.models.timm import TimmSource

        for tag in timm.list_pretrained(name):
            read_timm_recipe(tag)
        source = functools.partial(TimmSource, name, pretrained=False)
        if (source().parameters() or 0) > large:
            return timm_shapes(Found("timm", name, self.sharing(name), opened=True))
        sizes = SIZES if get_pretrained_cfg(name).input_size[1] >= SIZES[0] else (None,)
        start = Found("timm", name, self.sharing(name), opened=True)
        tokens = name.endswith("_enc")  # an encoder of a language model, without a head
        width = "num_features" if tokens else "head_hidden_size"
        return examined(start, source, lambda model: int(getattr(model._module, width)), sizes)


class KerasZoo(Zoo):
    def names(self) -> Iterable[str]:
        from assay.models.keras import KerasSource

        return KerasSource.list_names()

    def look(self, name: str, large: float) -> Found:
        from assay.models.keras import KerasSource

        source = functools.partial(KerasSource, name, pretrained=False)
        found = examined(Found("keras", name, 1, opened=True), source, head_width)
        return found if good(found) else self._judged_by_rounding(found)

    def _judged_by_rounding(self, found: Found) -> Found:
        """Say nothing of batches where random weights make more of rounding than of the batch."""
        size = int(found.how.split(" x ")[1])
        command = [sys.executable, "-c", _ROUNDING, found.name, str(size)]
        ended = subprocess.run(command, capture_output=True, check=True, text=True)
        batch, near = map(float, ended.stdout.split()[-2:])
        if found.batch_invariant is not False or batch > TOLERANCE or near < TOLERANCE:
            return found
        why = (
            f"with random weights Keras alone changes features by {near:.0%} where pixels change by 1e-6; "
            f"in double precision a batch changes them by {batch:.0e}"
        )
        return replace(found, batch_invariant=None, how=f"{found.how}: {why}")


class TransformersZoo(Zoo):
    """One tiny configuration of each family."""

    def names(self) -> Iterable[str]:
        return FAMILIES

    def look(self, name: str, large: float) -> Found:
        from assay.models.hf import HuggingFaceSource

        examples = {"images": PICTURES, "sounds": SOUNDS}.get(FAMILIES[name], TEXTS)
        with tempfile.TemporaryDirectory() as folder:
            width = saved(name, Path(folder))
            with closing(HuggingFaceSource(folder, pretrained=False).open("cpu")) as model:
                return encoded(Found("transformers", name, 1, opened=True), model, examples, width)


class OpenClipZoo(Zoo):
    """Image towers; of text towers those whose tokenizer comes with the package."""

    def names(self) -> Iterable[str]:
        return SMALL_CLIPS

    def look(self, name: str, large: float) -> Found:
        from assay.models.openclip import OpenClipSource

        architecture, _, tower = name.partition(" ")
        source = OpenClipSource(architecture, tower=tower, pretrained=False)
        examples = PICTURES if tower == "image" else TEXTS
        with closing(source.open("cpu")) as model:
            width = open_clip_width(architecture)
            return encoded(Found("openclip", name, 1, opened=True), model, examples, width)


def open_clip_width(architecture: str) -> int:
    import open_clip

    return int(open_clip.get_model_config(architecture)["embed_dim"])


ZOOS: dict[str, Zoo] = {
    "torchvision": TorchvisionZoo(),
    "keras": KerasZoo(),
    "timm": TimmZoo(),
    "transformers": TransformersZoo(),
    "openclip": OpenClipZoo(),
}


def examined(
    start: Found,
    source: Callable[..., ModelSource],
    width: Callable[[Any], int],
    sizes: Iterable[int | None] = SIZES,
) -> Found:
    """Open the smallest size at which it passes, and encode."""
    last: Exception | None = None
    found = None
    for size in sizes:
        try:
            with closing(source(image_size=size).open("cpu")) as model:
                found = encoded(start, model, PICTURES, width(model))
        except TimeoutError:
            raise
        except Exception as raised:  # too small for this architecture, or another fault, which the next shows
            last = raised
        if found is not None and good(found):
            return found
    if found is None and last is not None:
        raise last
    assert found is not None
    return found


def encoded(start: Found, model: Model, examples: list[Example], width: int | None) -> Found:
    """Encode examples together and one by one."""
    facts = model.facts
    together = model.encode(examples).features
    alone = np.concatenate([model.encode([example]).features for example in examples])
    scale = float(np.abs(together).max())
    seen = replace(
        start,
        parameters=facts.parameters,
        width_right=None if width is None else together.shape[1] == facts.width == width,
        how=facts.input,
    )
    if not np.isfinite(together).all():
        return replace(
            seen, batch_invariant=False, how=f"{facts.input}: features are not finite with random weights"
        )
    if scale < NOTHING:
        return replace(seen, how=f"{facts.input}: features vanish with random weights")
    return replace(seen, batch_invariant=bool(np.abs(alone - together).max() <= TOLERANCE * scale))


def head_width(model: Model) -> int:
    """Return how many numbers enter the head, which is the last matrix of weights."""
    return list(model.weights())[-1].shape[1]


def read_timm_recipe(tag: str) -> None:
    """Read the preprocessing of published weights, and prepare pictures by it."""
    from timm.data import resolve_data_config
    from timm.models import get_pretrained_cfg

    from assay.encoders.pixel_changes import recipe_from_timm

    config = resolve_data_config(pretrained_cfg=get_pretrained_cfg(tag).to_dict())
    recipe_from_timm(config).read(PICTURES, "cpu")


def timm_shapes(start: Found) -> Found:
    """Compute the shapes of a model that is too large to be held here."""
    import timm
    import torch

    with torch.device("meta"):
        module = timm.create_model(start.name).eval()
        batch = torch.zeros(2, *module.pretrained_cfg["input_size"])
        features = module.forward_head(module.forward_features(batch), pre_logits=True)
    return replace(
        start,
        parameters=sum(weight.numel() for weight in module.parameters()),
        width_right=features.flatten(1).shape == (2, module.head_hidden_size),
        how=SHAPES,
    )


@functools.cache
def _timm_tags() -> Counter[str]:
    import timm

    return Counter(name.partition(".")[0] for name in timm.list_models(pretrained=True))
