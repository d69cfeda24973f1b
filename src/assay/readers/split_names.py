"""Recognises folders that are named after a split: "train", "TestSet", "seg_train", "Validation images"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from assay.readers.splits import PART_NAMES, Part

_WORDS = {
    **PART_NAMES,
    "trn": Part.TRAIN,
    "trainval": Part.TRAIN,
    "validate": Part.VAL,
    "devel": Part.VAL,
    "development": Part.VAL,
    "eval": Part.VAL,
    "evaluate": Part.VAL,
    "evaluation": Part.VAL,
    "tst": Part.TEST,
    "holdout": Part.TEST,
    "heldout": Part.TEST,
}
_EVALUATION = frozenset({"eval", "evaluate", "evaluation"})  # test where another folder is val
_FILLERS = frozenset(
    {
        "set", "sets", "data", "dataset", "datasets", "image", "images", "img", "imgs", "picture", "pictures",
        "pics", "photo", "photos", "sample", "samples", "split", "splits", "files", "folder", "class",
        "classes", "labeled", "labelled", "audio", "sound", "sounds", "wav", "wavs", "clips",
    }
)  # fmt: skip
_UNLABELLED = frozenset(
    {
        "pred", "preds", "predict", "prediction", "predictions", "unlabeled", "unlabelled", "unsup",
        "unsupervised", "inference", "submission", "submissions", "unknown",
    }
)  # fmt: skip
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_GLUED = re.compile(rf"({'|'.join(sorted(_WORDS, key=len, reverse=True))})({'|'.join(sorted(_FILLERS))})")
_HELD_OUT = re.compile(r"\b(hold|held) out\b")


class SplitFolder(NamedTuple):
    """What the name of a folder says about a split.

    Attributes:
        word: The word that names the split, in lower case.
        part: The split.
        rest: The other words, without those such as "set" or "images".
    """

    word: str
    part: Part
    rest: tuple[str, ...]


def split_folder(name: str) -> SplitFolder | None:
    """Return the split that a folder may be named after, or None.

    >>> split_folder("Training_Set")
    SplitFolder(word='training', part=<Part.TRAIN: 0>, rest=())
    >>> split_folder("seg_test"), split_folder("bus")
    (SplitFolder(word='test', part=<Part.TEST: 2>, rest=('seg',)), None)
    """
    words = _words(name)
    named = [word for word in words if word in _WORDS]
    if len(named) != 1:
        return None
    rest = tuple(word for word in words if word not in _WORDS and word not in _FILLERS and not word.isdigit())
    return SplitFolder(named[0], _WORDS[named[0]], rest)


def is_unlabelled(name: str) -> bool:
    """Return whether a folder is named after examples without labels, such as "seg_pred"."""
    return not _UNLABELLED.isdisjoint(_words(name))


def is_plain(name: str) -> bool:
    """Return whether a folder has one of the usual names of a split."""
    return name.strip().lower() in PART_NAMES


def consistent(named: Iterable[SplitFolder]) -> dict[SplitFolder, Part]:
    """Return the split of each folder: "eval" is test where another folder is val and none is test."""
    folders = list(named)
    has_val = any(folder.part is Part.VAL and folder.word not in _EVALUATION for folder in folders)
    has_test = any(folder.part is Part.TEST for folder in folders)
    judged = Part.TEST if has_val and not has_test else Part.VAL
    return {folder: judged if folder.word in _EVALUATION else folder.part for folder in folders}


def _words(name: str) -> list[str]:
    spaced = _CAMEL.sub(" ", unicodedata.normalize("NFKC", name))
    words = " ".join(re.findall(r"[^\W_]+", spaced)).lower()
    return [part for word in _HELD_OUT.sub("heldout", words).split() for part in _unglued(word)]


def _unglued(word: str) -> tuple[str, ...]:
    glued = _GLUED.fullmatch(word)
    return glued.groups() if glued and word not in _WORDS else (word,)
