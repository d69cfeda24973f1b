"""Sentences about stored files that are damaged or have no checksum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assay.core.text import plural


@dataclass(frozen=True, slots=True)
class Damage:
    """A stored file that could not be used.

    Attributes:
        what: What the file holds, such as "predictions".
        of: What they belong to, such as a method, a model and a task.
        reason: Why it could not be used.
        is_mended: Whether it was made again since.
        is_cached: Whether it is made only when a job needs it, such as features.
    """

    what: str
    of: str
    reason: str
    is_mended: bool
    is_cached: bool = False


def damage_sentences(damages: Iterable[Damage]) -> tuple[str, ...]:
    """Return a sentence for each kind of damage, which names the first file and counts the others."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for damage in damages:
        groups.setdefault((damage.what, damage.reason, _then(damage)), []).append(damage.of)
    sentences = []
    for (what, reason, then), owners in groups.items():
        more = "" if len(owners) == 1 else f" and {len(owners) - 1} more"
        sentences.append(f"Damaged {what} of {owners[0]}{more} ({reason}): {then}.")
    return tuple(sentences)


def _then(damage: Damage) -> str:
    if damage.is_mended:
        return "made again"
    if damage.is_cached:
        return "not used; they are computed again when a job needs them"
    return "not used; the next run of the study makes them again"


def unchecked_sentence(count: int, *, is_mended: bool) -> str:
    """Return a sentence about files that earlier versions wrote."""
    had = f"{plural(count, 'stored file')} of an earlier Assay {'has' if count == 1 else 'have'} no checksum"
    if is_mended:
        return f"{had}: used; checksums were added."
    return f"{had}: used without verification; the next run adds checksums."
