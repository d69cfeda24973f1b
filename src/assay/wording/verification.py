"""Sentences about the verification of a store."""

from __future__ import annotations

from assay.core.text import plural
from assay.findings.verification import Rerun, Verification


def verification_lines(found: Verification) -> list[str]:
    """Return sentences about what was verified, the faults, and the repeated jobs with another result."""
    lines = [f"Problem: {problem.of}: {problem.reason}" for problem in found.problems]
    lines += map(_rerun, found.reruns)
    if found.unchecked:
        lines.append(f"{plural(found.unchecked, 'file')} of an earlier version without checksum.")
    if found.not_kept:
        lines.append(
            f"The features of {found.not_kept:,} of {plural(found.encoded, 'pair')} of a model and a task "
            "are not stored. Nothing is lost: they are a cache, and are computed again when they are needed."
        )
    judged = f"{found.judged:,} of {plural(found.results, 'result')} computed again from their predictions"
    judged += _others(found)
    ran = f", {plural(len(found.reruns), 'job')} run again" if found.reruns else ""
    wrong = len(found.problems) + sum(rerun.has_drifted for rerun in found.reruns)
    state = "nothing is wrong" if found.is_sound else plural(wrong, "problem")
    return [*lines, f"Verified {plural(found.files, 'file')}; {judged}{ran}: {state}."]


def _others(found: Verification) -> str:
    """Return why other results were not computed again; empty if all were."""
    left = found.results - found.judged - found.scores - found.valueless
    kinds = (
        (found.scores, "of scores, which make no predictions"),
        (found.valueless, "failed or skipped, without a value"),
        (left, "without the predictions or test labels"),
    )
    words = "; ".join(f"{number:,} {kind}" for number, kind in kinds if number)
    return f" (the others: {words})" if words else ""


def _rerun(rerun: Rerun) -> str:
    job = f"{rerun.method} of {rerun.model} on {rerun.task} (seed {rerun.seed})"
    if rerun.again is None:
        return f"Not comparable: {job}: {rerun.reason}"
    if not rerun.has_drifted:
        return f"Reproduced: {job}: {rerun.again:.4f}"
    others = "" if rerun.differing is None else f"; {100 * rerun.differing:.1f} % of the predictions differ"
    return f"Drift: {job}: {rerun.stored:.6f} is stored, and it is {rerun.again:.6f} now{others}"
