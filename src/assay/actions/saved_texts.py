"""Writes predict.py, README.md and requirements.txt of a saved model."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata

from assay.actions.saved_folder import SETTINGS, SavedSettings
from assay.core.model import ModelFacts
from assay.core.task import LabelKind, Modality

# no name of a model, task or class is pasted into it: it is the same for every saved model
SCRIPT_TEXT = '''"""Predicts with the model saved beside this file: python predict.py --help"""

import sys
from pathlib import Path

try:
    from assay.cli.main import main
except ImportError as error:
    sys.exit(f"{error}. Install what it needs: pip install -r requirements.txt")

sys.argv[1:1] = ["predict", str(Path(__file__).resolve().parent)]
main()
'''

_USAGE = {
    Modality.IMAGE: ("picture.jpg", "a-folder", "table-of-paths.csv"),
    Modality.AUDIO: ("sound.wav", "a-folder", "table-of-paths.csv"),
    Modality.TEXT: ("new.csv", "--text 'a text'"),
}
_PAIR = " --text2 'another'"
_NAMES = {
    LabelKind.CLASSIFICATION: "[saved.classes[position] for position in predicted.values]",
    LabelKind.MULTILABEL: "[[saved.classes[at] for at in row.nonzero()[0]] for row in predicted.values]",
    LabelKind.REGRESSION: "predicted.values.tolist()",
}
_DISTRIBUTION = re.compile(r"[A-Za-z0-9._-]+")


def readme(settings: SavedSettings, about: ModelFacts, *, has_onnx: bool) -> str:
    """Return the README: a description of the model, and how to predict with it."""
    facts = {
        "model": settings.model, "task": settings.task, "method": settings.method, "kind": settings.kind,
        "classes": len(settings.classes), "columns": settings.columns, "metrics on test": settings.metrics,
        "tuned": settings.tuned, "input": about.input, "preprocessing": about.preprocessing,
        "licence": about.licence,
    }  # fmt: skip
    stated = "\n".join(f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in facts.items())
    allow = f" --allow-code {_word(settings.code[0])}" if settings.code else ""
    pair = _PAIR if settings.modality is Modality.TEXT and len(settings.columns) == 2 else ""
    words = [word + pair * word.startswith("--text") for word in _USAGE[settings.modality]]
    commands = "\n".join(f"    python predict.py{allow} {word}" for word in words)
    code = (
        "\n\nIt needs code that runs only if you allow it by name, with `--allow-code`:\n\n"
        f"    {json.dumps(settings.code)}"
        if settings.code
        else ""
    )
    onnx = (
        "\n\n`model.onnx` is encoder and head as one. Its input `pixels` (float32, examples x input)\n"
        "is pictures after the preprocessing above; its outputs are `prediction` (class positions, 0 and 1\n"
        "for each class, or numbers) and, where there are any, `probabilities`."
        if has_onnx
        else ""
    )
    return f"""# A trained model

{stated}

Install what it needs, and predict:

    pip install -r requirements.txt
{commands}

Rows of CSV go to standard output: `input`, `row` (of a table), `prediction`, `error`. `--probabilities`
adds those of the classes, `--jsonl` writes JSON lines, `--out` a file; `python predict.py --help` says
more. What cannot be read is a row with its reason, and the exit code is then 1.{code}

In Python:

    import assay

    with assay.load("this-folder") as saved:
        predicted = saved.predict(examples)
        answers = {_NAMES[settings.kind.label_kind]}

`{SETTINGS}` contains the settings, `weights.safetensors` the trained weights. `assay predict this-folder`
does the same as `predict.py`, and runs no file of this folder.{onnx}
"""


def requirements(packages: Iterable[str], modality: Modality) -> str:
    """Return the packages that prediction needs, at the versions that are installed.

    Args:
        packages: The packages of the model's source and of the protocol, as they are imported.
        modality: Sounds need their reader; models of texts their tokenizers.
    """
    needed = set(packages) | {"safetensors"}
    needed |= {"soundfile"} if modality is Modality.AUDIO else set()
    if modality is Modality.TEXT:
        needed |= {"transformers"} & sys.modules.keys()
    names = {"model-assay", *map(_distribution, needed), *_own_requirements()}
    return "".join(f"{line}\n" for line in sorted(_pinned(names), key=str.lower))


def _distribution(package: str) -> str:
    """Return the distribution of a package, mostly of the same name; reading all metadata is slow."""
    try:
        return metadata.distribution(package).name
    except metadata.PackageNotFoundError:
        return _of_imports().get(package, [package])[0]


@cache
def _of_imports() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _own_requirements() -> Iterator[str]:
    for line in metadata.requires("model-assay") or ():
        named = _DISTRIBUTION.match(line)
        if named is not None and "extra ==" not in line:
            yield named[0]


def _pinned(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:  # a module of the user
            continue
        yield f"{name}=={version.partition('+')[0]}"  # what follows names a build, which indexes may lack


def _word(text: str) -> str:
    return text if re.fullmatch(r"[\w./@:-]+", text) else "NAME"
