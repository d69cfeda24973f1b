"""Text classification of docstrings by their installed library, without a download."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels, Task
from assay.core.task_source import TaskSource
from assay.readers.assembly import assemble
from assay.readers.gathering import gather_in_memory
from assay.readers.splits import Part, Shares

_DEFAULT = ("numpy", "scipy", "skimage", "sklearn", "torch", "transformers")  # installed with the demo
_SHORTEST, _LONGEST = 40, 300  # length in characters
_OF_ONE_FILE = 6  # maximum number of texts per file, because each file has its own style
_LEFT_OUT = frozenset({"tests", "test", "testing", "_vendor", "vendored", "externals", "extern"})

# words that reveal a library; the names of the chosen packages are added
_ARRAYS = ("numpy", "np", "ndarray", "scipy", "pandas", "matplotlib", "pillow", "jax")
_LEARNING = ("sklearn", "scikit-learn", "scikit-image", "scikit", "skimage", "tensorflow", "keras")
_WORDS = (*_ARRAYS, *_LEARNING, "torch", "pytorch", "torchvision", "timm", "transformers", "huggingface")
_ROLE = re.compile(r":[a-z:]+:`~?([^`<]*)[^`]*`")
_MARKUP = re.compile(r"[`*]+")


@dataclass(frozen=True, slots=True)
class Docstrings(TaskSource):
    """First paragraphs of docstrings, labelled with the library; library names are masked.

    The sources are parsed, not imported. Train, val and test come from different files. Other releases of
    the libraries give a different task with a different fingerprint.

    Attributes:
        name: Libraries joined by ``+``, as in ``numpy+scipy+torch``, or ``default`` for six libraries.
        per_class: The number of docstrings per library.
        val: The fraction of val.
        test: The fraction of test.
        metric: The main metric; accuracy.

    >>> task = Docstrings("numpy+scipy", per_class=5).load("docstrings:numpy+scipy", seed=0)
    >>> len(task.train), len(task.val), len(task.test), task.classes
    (6, 2, 2, ('numpy', 'scipy'))
    """

    per_class: int = 300
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None

    summary: ClassVar[str] = "which library a docstring is from: default, or numpy+scipy+..."

    def load(self, address: str, seed: int) -> Task:
        """Read docstrings of the installed packages."""
        shares = Shares(self.val, self.test)
        libraries = _DEFAULT if self.name == "default" else tuple(sorted(set(self.name.split("+"))))
        if len(libraries) < 2:
            raise UsageError(
                f"'{self.name}' is one library. Write two or more, as in docstrings:numpy+scipy."
            )
        wanted = shares.counts(self.per_class)
        texts: list[str] = []
        names, values, parts = [], [], []
        blot = _blotter(libraries)
        for value, library in enumerate(libraries):
            for part, text, name in self._collect(library, blot, wanted, set(texts), seed):
                texts.append(text)
                names.append(name)
                values.append(value)
                parts.append(part)
        labels = Labels(LabelKind.CLASSIFICATION, np.array(values), libraries)
        gathered = gather_in_memory(texts, names, labels, np.array(parts))
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed)

    def _collect(
        self, library: str, blot: re.Pattern[str], wanted: Mapping[Part, int], known: set[str], seed: int
    ) -> Iterator[tuple[Part, str, str]]:
        """Yield docstrings, file by file in random order, until each split is complete."""
        missing = dict(wanted)
        for path, name in _files(library, seed):
            part = max(Part, key=lambda split: missing[split] / wanted[split])
            if missing[part] == 0:
                return
            fresh = {text: line for text, line in _docstrings(path, blot).items() if text not in known}
            for text, line in list(fresh.items())[: min(_OF_ONE_FILE, missing[part])]:
                known.add(text)
                missing[part] -= 1
                yield part, text, f"{name}:{line}"
        if sum(missing.values()):
            count = self.per_class - sum(missing.values())
            raise UnreadableTask(
                f"'{library}' has {count} docstrings of {_SHORTEST} to {_LONGEST} characters; "
                f"{self.per_class} are wanted. Write per_class={max(count // 2, 5)} or other libraries."
            )


def _files(library: str, seed: int) -> list[tuple[Path, str]]:
    """Return the source files of a package without tests, in an order determined by names and seed."""
    spec = importlib.util.find_spec(library) if library.isidentifier() else None
    folders = [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not folders:
        raise UnreadableTask(
            f"There is no installed package '{library}'. "
            "Install it, or name others, as in docstrings:numpy+scipy."
        )
    files = []
    for folder in folders:
        for path in folder.rglob("*.py"):
            inside = path.relative_to(folder)
            if not _LEFT_OUT.intersection(inside.parts) and not inside.name.startswith(("test_", "conftest")):
                files.append((path, f"{library}/{inside.as_posix()}"))
    return sorted(files, key=lambda file: hashlib.blake2b(f"{seed} {file[1]}".encode()).digest())


def _docstrings(path: Path, blot: re.Pattern[str]) -> dict[str, int]:
    """Return the distinct cleaned first paragraphs of a file, with their line numbers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ignore invalid escapes in other packages
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # templates, or files for other Python versions
        return {}
    texts: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = _clean(ast.get_docstring(node) or "", blot)
            if _SHORTEST <= len(text) <= _LONGEST:
                texts.setdefault(text, node.body[0].lineno)
    return texts


def _clean(docstring: str, blot: re.Pattern[str]) -> str:
    """Return the first paragraph as plain text, or an empty string if it is code."""
    paragraph = docstring.split("\n\n", maxsplit=1)[0]
    if ">>>" in paragraph or "::" in paragraph or "Copyright" in paragraph:
        return ""
    plain = _MARKUP.sub("", _ROLE.sub(r"\1", paragraph))
    return " ".join(blot.sub("the library", plain).split())


def _blotter(libraries: Sequence[str]) -> re.Pattern[str]:
    words = sorted({*_WORDS, *libraries}, key=lambda word: (-len(word), word))
    return re.compile(rf"\b({'|'.join(re.escape(word) for word in words)})\b(\.\w+)*", re.IGNORECASE)
