"""Sentences about a search: how many models were tried at which level, and what may have been missed."""

from __future__ import annotations

from collections.abc import Mapping

from assay.findings.comparison import Comparison
from assay.findings.per_task import TaskFindings
from assay.findings.search import SearchFindings
from assay.wording.numbers import duration, plural
from assay.wording.recommendation import difference_text

_STOPS = {
    "all": "every other one is ruled out",
    "budget": "the budget is spent",
    "tolerance": "the others are not expected to be better",
}


def searched_line(search: SearchFindings) -> str:
    """Return how many of the candidates were tried at which level, and why the search ended.

    >>> search = SearchFindings(1400, ("a", "b"), (), {}, {}, ("c",) * 1398, "budget", 1800.0)
    >>> searched_line(search)
    'Searched 1,400 models in 30 min: 2 finished, 1,398 not tried; the budget is spent.'
    """
    counts = (
        (len(search.finished), "finished"),
        (sum(one.is_ruled_out for one in search.screened), "ruled out on part of train"),
        (sum(not one.is_ruled_out for one in search.screened), "only tried on part of train"),
        (len(search.failed), "failed"),
        (len(search.untried), "not tried"),
    )
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    took = duration(search.seconds)
    if not search.finished:
        return f"No model was finished: {_too_little(search)}"
    done = len(search.finished) == search.candidates
    why = "" if done else f"; {_STOPS[search.stop]}"
    return f"Searched {plural(search.candidates, 'model')} in {took}: {told}{why}."


def _too_little(search: SearchFindings) -> str:
    if len(search.failed) >= search.candidates:
        model, reason = next(iter(search.failed.items()))
        return f"all {search.candidates} failed, {model} with: {reason}."
    if search.stop != "budget" or search.needs is None:
        return "nothing could be tried."
    return f"the budget was spent. One needs about {duration(search.needs)} more: raise --budget."


def missed_sentences(search: SearchFindings, findings: TaskFindings) -> list[str]:
    """Return what may have been missed on a task, the most important sentence first."""
    left = search.candidates - len(search.finished) - len(search.failed)
    if not left or not search.finished:
        return []
    sentences = []
    tried = f"{len(search.finished)} of {search.candidates:,} models were trained"
    regret = search.expected_regret.get(findings.task.address)
    if regret is not None:
        amount = difference_text(regret, findings)
        sentences.append(f"{tried}; the best of the others is expected to be {amount} better at most.")
    if search.bound is not None:
        high = difference_text(search.bound.high, findings)
        sentences.append(
            f"with 90 % confidence a search by past results alone, of as many trainings, misses at most "
            f"{high} ({search.bound.past_tasks} past data sets)."
        )
    elif search.untried:
        sentences.append(f"no bound on what was missed: {plural(search.past_tasks, 'past data set')}.")
    if search.contaminated:
        sentences.append(
            f"{plural(len(search.contaminated), 'model')} may have been trained on these data, by name."
        )
    return sentences


def left_out_lines(search: SearchFindings) -> list[str]:
    """Return why models were no candidates, one line for each reason."""
    counts: Mapping[str, int] = search.left_out
    return [f"{count:,} {reason}" for reason, count in sorted(counts.items(), key=lambda pair: -pair[1])]


def failed_count(comparison: Comparison) -> int:
    """Return the number of models that failed while they were searched."""
    return 0 if comparison.search is None else len(comparison.search.failed)
