"""The versions of Python and of the packages that affect results."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata

_SHOWN = ("model-assay", "numpy", "scipy", "torch", "timm", "torchvision", "transformers")
_OTHERS = (
    "scikit-learn",
    "pillow",
    "sentence-transformers",
    "open-clip-torch",
    "onnxruntime",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "soundfile",
    "peft",
    "optuna",
    "tokenizers",
    "safetensors",
    "pyarrow",
    "cloudpickle",
)


def versions(*, shown: bool = False) -> dict[str, str]:
    """Return the versions of Python and of the packages that affect results, and the machine type.

    Args:
        shown: Only those that reports name.
    """
    packages = {name: _installed(name) for name in (_SHOWN if shown else _SHOWN + _OTHERS)}
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    return machine | {name: version for name, version in packages.items() if version is not None}


def version_differences(here: Mapping[str, str], there: Mapping[str, str]) -> tuple[str, ...]:
    """Return how versions differ from others, each as in "torch 2.9.1 instead of 2.8.0".

    Python counts as the same up to its second number, and builds of a package ("2.9.0+cpu") as the same.

    >>> version_differences({"python": "3.11.9", "numpy": "2.3.0"}, {"python": "3.11.2", "numpy": "2.2.0"})
    ('numpy 2.3.0 instead of 2.2.0',)
    """
    names = dict.fromkeys((*there, *here))
    pairs = ((name, _of(name, here), _of(name, there)) for name in names)
    return tuple(f"{name} {own} instead of {other}" for name, own, other in pairs if own != other)


@cache  # reading what is said of a package takes milliseconds
def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _of(name: str, versions: Mapping[str, str]) -> str:
    version = versions.get(name, "missing")
    return ".".join(version.split(".")[:2]) if name == "python" else version.partition("+")[0]
