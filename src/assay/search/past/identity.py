"""Identifies the weights behind an address: one model has different names in different sources.

A wrong match is worse than none: names are compared as wholes, and a family is known only for names that
publishers of architectures give.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UsageError
from assay.plugins.address import Address

_HARMLESS = frozenset(  # settings by which a model stays the one that others measured
    (
        "dtype", "image_size", "max_seconds", "max_tokens", "normalise", "pairs", "pooling", "prompt",
        "prompt_name",
    )
)  # fmt: skip
_MOVED = frozenset(  # models of the hub that had no owner before
    {"albert", "distilbert", "facebookai", "google-bert", "google-t5", "openai-community", "xlnet"}
)
_PUBLISHERS = frozenset(
    {"apple", "facebook", "google", "laion", "microsoft", "nvidia", "openai", "timm", "winkawaks"}
)
_MINILM = "hf:sentence-transformers/all-minilm-l6-v2"
_CLIP = re.compile(r"^clip-vit-(b|l|h|g|bigg|base|large|huge)-?(?:patch)?(\d+)(-336)?(?:-(.+))?$")
_LETTERS = {"t": "tiny", "s": "small", "b": "base", "l": "large", "h": "huge"}
_SIDES = re.compile(  # of images, in pixels
    "96|112|128|160|176|192|196|208|224|240|256|260|288|299|300|320|336|352|378|380|384|392|408|416|448|456|476|"
    "480|512|518|528|544|560|576|600|640|672|768|800|896|1024"
)
_NUMBERED = re.compile("regnet|levit|ghostnet|convmixer|rexnet|mobilevitv2")  # not by the size of images
_DATA = {
    "in22k": "in21k", "22k": "in21k", "pt22k": "in21k", "ft22k": "in21k", "in21k": "in21k", "21k": "in21k",
    "in1k": "in1k", "1k": "in1k", "imagenet1k": "in1k", "tv": "in1k", "tv2": "in1k",
}  # fmt: skip
_SUPERVISED = frozenset({"in1k", "in12k", "in21k"})
_MARKERS = re.compile(
    r"^(in12k|jft|ig1b|yfcc100m|webli|openai|laion\d*[mb]|laiona|datacomp\w*|dfn\w*|metaclip\w*|merged2b|"
    r"lvd\w*|m30m|m38m|mae|fcmae|mim|dino\w*|msn|ssl|swsl|wsl|swag|seer|ns|clip|siglip\d?|ijepa|moco\w*|"
    r"simclr|byol|cc12m|commonpool)$"
)
_TORCHVISION = {
    "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
    "mobilenet_v3_small": "mobilenetv3_small_100",
    "mnasnet0_5": "mnasnet_050",
    "mnasnet0_75": "mnasnet_075",
    "mnasnet1_0": "mnasnet_100",
    "mnasnet1_3": "mnasnet_130",
    "vit_b_16": "vit_base_patch16",
    "vit_b_32": "vit_base_patch32",
    "vit_l_16": "vit_large_patch16",
    "vit_l_32": "vit_large_patch32",
    "vit_h_14": "vit_huge_patch14",
    "swin_t": "swin_tiny_patch4_window7",
    "swin_s": "swin_small_patch4_window7",
    "swin_b": "swin_base_patch4_window7",
}


class Identity(NamedTuple):
    """What the address of a model says.

    Attributes:
        weights: The same for two addresses of the same weights, and for those alone.
        family: The architecture with its size, patches and version; empty if it is not known.
        training: What the weights were trained on and how, as far as the name says.
        words: The words for the recipe and the size of images, by which members of a family differ.
    """

    weights: str
    family: str = ""
    training: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


@cache
def identity_of(model: str) -> Identity:
    """Return the facts about the weights that the address of a model reveals.

    >>> identity_of("hf:timm/resnet50.a1_in1k").weights == identity_of("timm:resnet50.a1_in1k").weights
    True
    >>> identity_of("hf:facebook/convnext-tiny-224").family, identity_of("hf:someone/birds").family
    ('convnexttiny', '')
    """
    try:
        address = Address.parse(model).without_alias()
    except UsageError:
        return Identity(model)
    if not _HARMLESS.issuperset(dict(address.settings)) or os.path.exists(address.name):  # noqa: PTH110  # any name
        return Identity(_checkpoint(address) or str(address))
    name = address.name.lower()
    of_source: dict[str, Callable[[str], Identity]] = {
        "timm": _of_timm,
        "torchvision": _of_torchvision,
        "packaged": _of_package,
        "openclip": _of_openclip,
        "sentence": _of_sentence,
        "hf": _of_hub,
    }
    return of_source[address.source](name) if address.source in of_source else Identity(str(address))


def _checkpoint(address: Address) -> str:
    """Return the name of the folder or file of weights that a user named; empty without one."""
    settings = dict(address.settings)
    file = settings.get("checkpoint")
    if not isinstance(file, str) or settings.get("pretrained") is False:
        return ""
    path = Path(file)
    return path.parent.name if path.stem in {"model", "pytorch_model", "weights"} else path.stem


def _of_timm(name: str) -> Identity:
    architecture, _, tag = name.partition(".")
    return _in_family(f"timm:{name}", architecture, tag)


def _of_torchvision(name: str) -> Identity:
    architecture, _, weights = name.partition(".")
    ported = {"imagenet1k_v1": "tv_in1k", "imagenet1k_v2": "tv2_in1k"}.get(weights, weights)
    standard = _TORCHVISION.get(architecture, architecture)
    same = f"timm:{architecture}.{ported}" if ported.startswith("tv") else f"torchvision:{name}"
    return _in_family(same, standard, ported)


def _of_package(name: str) -> Identity:
    return (
        Identity(_MINILM) if name.startswith("all_minilm") else _in_family(f"packaged:{name}", name, "in1k")
    )


def _of_sentence(name: str) -> Identity:
    return _of_hub(name if "/" in name else f"sentence-transformers/{name}")


def _of_openclip(name: str) -> Identity:
    if name.startswith("hf-hub:"):
        return _of_hub(name.removeprefix("hf-hub:"))
    architecture, _, tag = name.partition(".")
    parts = architecture.removesuffix("-quickgelu").split("-")
    if parts[0] == "vit" and len(parts) > 2 and parts[2].isdigit():
        parts[1:3] = [_LETTERS.get(parts[1], parts[1]), f"patch{parts[2]}"]
    return _in_family(f"openclip:{name}", "_".join([*parts, "clip"]), f"{tag}_clip")


def _of_hub(name: str) -> Identity:
    name = name.partition("@")[0]  # a revision
    owner, _, short = name.rpartition("/")
    if owner == "timm":
        return _of_timm(short)
    if not owner or owner in _MOVED:
        return Identity(f"hf:{short}")
    clip = _CLIP.match(short)
    if clip and owner in {"openai", "laion"}:
        size = {full: letter for letter, full in _LETTERS.items()}.get(clip[1], clip[1])
        tag = (clip[4] or owner).replace("-", "_")
        return _of_openclip(f"vit-{size}-{clip[2]}{clip[3] or ''}.{tag}")
    if owner not in _PUBLISHERS:
        return Identity(f"hf:{name}")
    return _in_family(f"hf:{name}", short, "")


def _in_family(weights: str, architecture: str, tag: str) -> Identity:
    decimal = re.sub(r"(\d)\.(\d+)", lambda found: f"{float(found[0]) * 100:03.0f}", architecture)
    words = re.findall(r"[a-z0-9]+", decimal)
    numbered = _NUMBERED.match("".join(words))
    sides = {word for word in words if _SIDES.fullmatch(word) and not numbered}
    if words[:1] == ["tf"]:
        words = words[1:]
    markers = [word for word in words if word in _DATA or (_MARKERS.match(word) and word != "clip")]
    rest = [word for word in words if word not in sides and word not in markers and word not in {"ft", "pt"}]
    if rest[:1] == ["swinv2"]:
        rest = [word for word in rest if word != "patch4"]
    of_tag = re.findall(r"[a-z0-9]+", tag)
    training = {
        _DATA.get(word, word) for word in (*markers, *of_tag) if word in _DATA or _MARKERS.match(word)
    }
    if "pt22k" in words and "ft22k" not in words:
        training.add("mim")
    return Identity(weights, "".join(rest), frozenset(training), frozenset({*of_tag, *markers, *sides}))


def is_related(model: Identity, other: Identity) -> bool:
    """Return whether results of the other model represent those of a model: one family, similar training."""
    if not model.family or model.family != other.family:
        return False
    beyond, of_other = model.training - {"in1k"}, other.training - {"in1k"}
    if model.training:
        return beyond == of_other or (not other.training and beyond <= _SUPERVISED)
    return of_other <= _SUPERVISED
