"""Sentences about a search: how many models were tried at each level, and what may have been missed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from assay.core.text import few, listing, plural
from assay.findings.comparison import Comparison
from assay.findings.facts import has_random_weights
from assay.findings.per_task import TaskFindings
from assay.findings.search import SearchFindings, SearchStatus, StopReason
from assay.findings.search_progress import SearchProgress
from assay.wording.numbers import duration, value_text
from assay.wording.recommendation import amount_text
from assay.wording.short_names import short_names

_FEWEST_FOR_A_BOUND = 9  # past data sets
_STOPS = {
    StopReason.ALL: "every other one is ruled out",
    StopReason.BUDGET: "the budget is not enough for another",
    StopReason.MODELS: "no more may be tried (--max-models, --budget, --total-budget)",
    StopReason.DOWNLOAD: "no more may be downloaded (--max-download)",
    StopReason.TOLERANCE: "the others are not expected to be better",
    StopReason.RUNNING: "the search has not ended",
}
_LEVELS = {
    SearchStatus.FINISHED: "finished",
    SearchStatus.RULED_OUT: "ruled out on part of train",
    SearchStatus.SCREENED: "only tried on part of train",
    SearchStatus.FAILED: "failed",
    SearchStatus.NOT_TRIED: "not tried",
}
_NAMED = 3  # models that a sentence names


class LevelRow(NamedTuple):
    """How many models of a search came to one level, and why."""

    status: str
    models: int
    why: str


def searched_line(search: SearchFindings) -> str:
    """Return how many of the candidates were tried at which level, and why the search ended.

    >>> search = SearchFindings(1400, ("a", "b"), (), {}, {}, ("c",) * 1398, "budget", 1800.0)
    >>> searched_line(search)
    'Searched 1,400 models in 30 min: 2 finished, 1,398 not tried; the budget is not enough for another.'
    >>> searched_line(SearchFindings(2, ("a",), (), {"b": "no file"}, {}, (), "all", 60.0))
    'Searched 2 models in 1 min: 1 finished, 1 failed.'
    """
    counted = _counts_text(search)
    took = duration(search.seconds)
    if not search.finished:
        return f"No model was finished: {_too_little(search)}"
    done = len(search.finished) + len(search.failed) == search.candidates
    why = "" if done else f"; {_STOPS[search.stop]}"
    return f"Searched {plural(search.candidates, 'model')} in {took}: {counted}{why}."


def progress_text(search: SearchFindings) -> str:
    """Return how far a search is, or was when it ended.

    >>> progress_text(SearchFindings(1400, ("a", "b"), (), {}, {}, ("c",) * 1398, StopReason.RUNNING, 1800.0))
    'searching 1,400 models for 30 min: 2 finished, 1,398 not tried'
    """
    if search.stop != StopReason.RUNNING:
        return searched_line(search).removesuffix(".")
    took = duration(search.seconds)
    return f"searching {plural(search.candidates, 'model')} for {took}: {_counts_text(search)}"


def _counts_text(search: SearchFindings) -> str:
    counts = Counter(status for _, status in search.statuses())
    return ", ".join(f"{counts[status]:,} {what}" for status, what in _LEVELS.items() if counts[status])


def _too_little(search: SearchFindings) -> str:
    """Return why no model was finished, and what to change."""
    if not search.candidates:
        reasons = (f"{count:,} {reason}" for reason, count in search.left_out.items())
        return f"none is left of those named: {'; '.join(reasons)}."
    parts = []
    if search.failed:
        address, reason = next(iter(search.failed.items()))
        model = short_names(search.failed)[address]
        count = len(search.failed)
        who = f"all {count} failed" if count == search.candidates > 1 else f"{count} failed"
        first = reason.partition("\n")[0].rstrip(".")
        parts.append(f"{who}, {model} with: {first}" if count > 1 else f"{model} failed: {first}")
    if search.stop == StopReason.BUDGET and search.needs is not None:
        parts.append(
            f"too little time is left: a model needs about {_about(search.needs)} more; raise --budget "
            "or --total-budget"
        )
    elif search.stop in {StopReason.MODELS, StopReason.DOWNLOAD, StopReason.RUNNING}:
        parts.append(_STOPS[search.stop])
    return "; ".join(parts or ["nothing could be tried"]) + "."


def _about(seconds: float) -> str:
    return duration(float(math.ceil(seconds)))


def progress_line(now: SearchProgress, leader: str) -> str:
    """Return how far a running search is, on one line.

    >>> progress_line(SearchProgress(1400, 3, 12, 1, "timm:resnet50", 250.0, 1800.0), "resnet50")
    '3 of 1,400 models finished, 12 screened, 1 failed; 4 min 10 s of 30 min; best so far: resnet50'
    """
    counts = ((now.screened, "screened"), (now.failed, "failed"))
    done = f"{now.finished} of {plural(now.candidates, 'model')} finished"
    done = ", ".join([done, *(f"{count:,} {what}" for count, what in counts if count)])
    time = duration(float(round(now.seconds)))
    if now.most_seconds is not None:
        time += f" of {duration(now.most_seconds)}"
    limit = "" if now.most_models is None else f"; at most {plural(now.most_models, 'model')}"
    return f"{done}; {time}{limit}" + (f"; best so far: {leader}" if leader else "")


def missed_sentences(search: SearchFindings, findings: TaskFindings) -> list[str]:
    """Return what may have been missed on a task, the most important sentence first."""
    if search.tasks and findings.task.address not in search.tasks:
        return []
    left = search.candidates - len(search.finished) - len(search.failed)
    if not left or not search.finished:
        return []
    sentences = []
    tried = f"{len(search.finished)} of {plural(search.candidates, 'model')} finished"
    regret = search.expected_regret.get(findings.task.address)
    if regret is not None:
        amount = amount_text(regret, findings)
        sentences.append(f"{tried}; the best of the others is expected to be at most {amount} better.")
    if search.bound is not None:
        high = amount_text(search.bound.high, findings)
        sentences.append(
            f"with 90 % confidence, as many trainings chosen by past results alone miss at most "
            f"{high} ({search.bound.past_tasks} past data sets)."
        )
    elif search.untried and search.past_tasks < _FEWEST_FOR_A_BOUND:
        past = plural(search.past_tasks, "past data set")
        sentences.append(f"no bound on what was missed: {past}; {_FEWEST_FOR_A_BOUND} are needed.")
    return sentences


def missed_lines(search: SearchFindings, tasks: Sequence[TaskFindings]) -> list[str]:
    """Return what may have been missed on each task; a sentence that is true of all tasks comes once."""
    of_tasks = {findings.task.address: missed_sentences(search, findings) for findings in tasks}
    times = Counter(sentence for sentences in of_tasks.values() for sentence in sentences)
    lines = []
    for task, sentences in of_tasks.items():
        for sentence in sentences:
            start = "" if times[sentence] == len(tasks) else f"{task}: "
            lines.append(f"{start}{sentence[:1].upper()}{sentence[1:]}")
    return list(dict.fromkeys(lines))


def search_confidence(search: SearchFindings, findings: TaskFindings) -> list[str]:
    """Return the first screen's sentences about what may be missed, the most important first."""
    sentences = missed_sentences(search, findings)
    if sentences and search.contaminated:
        sentences.append(f"names suggest {plural(len(search.contaminated), 'model')} trained on these data.")
    return sentences


def level_rows(search: SearchFindings) -> list[LevelRow]:
    """Return how many models came to which level, those with results first, with reasons."""
    rows = []
    counts = Counter(status for _, status in search.statuses())
    for status in _LEVELS:
        if status is SearchStatus.FAILED:
            reasons = Counter(search.failed.values())
            rows += [LevelRow("failed", count, reason) for reason, count in reasons.most_common()]
        elif counts[status]:
            rows.append(LevelRow(status.value, counts[status], _why(search, status)))
    left_out = sorted(search.left_out.items(), key=lambda pair: -pair[1])
    return rows + [LevelRow("left out", count, reason) for reason, count in left_out]


def _why(search: SearchFindings, status: SearchStatus) -> str:
    match status:
        case SearchStatus.FINISHED:
            return "through the whole study"
        case SearchStatus.RULED_OUT:
            seen = _examples(one.examples for one in search.screened if one.is_ruled_out)
            return f"too far behind the best on {seen}"
        case SearchStatus.SCREENED:
            seen = _examples(one.examples for one in search.screened if not one.is_ruled_out)
            return f"on {seen}; {_STOPS[search.stop]}"
        case _:
            return _STOPS[search.stop]


def _examples(counts: Iterable[int]) -> str:
    """Return of how many examples of train models were given."""
    distinct = sorted(set(counts))
    if len(distinct) == 1:
        return f"{plural(distinct[0], 'example')} of train"
    return f"{distinct[0]:,} to {distinct[-1]:,} examples of train"


def contaminated_sentences(comparison: Comparison, search: SearchFindings) -> list[str]:
    """Return which models may have been trained on the data of a task and why; the answer without them."""
    if not search.contaminated:
        return []
    words = listing(
        f"'{word}'" for word in dict.fromkeys(w for each in search.contaminated_by.values() for w in each)
    )
    contain = "its name contains" if len(search.contaminated) == 1 else "their names contain"
    why = f": {contain} {words}" if words else ""
    named = few(list(search.contaminated), _NAMED)
    sentences = [
        f"{plural(len(search.contaminated), 'model')} may have been trained on these data{why} ({named}). A "
        "result on data a model has seen says little about new data."
    ]
    for findings in comparison.tasks:
        if findings.task.address in search.tasks:
            sentences += _without_them(comparison, findings, search.contaminated)
    return sentences


def _without_them(comparison: Comparison, findings: TaskFindings, contaminated: Collection[str]) -> list[str]:
    rows = {row.address: row for row in comparison.models}
    ranked = [row for row in findings.standings if not has_random_weights(row.model, rows)]
    clean = [row for row in ranked if row.model not in contaminated]
    if not clean or len(clean) == len(ranked):
        return []
    on = f" on {findings.task.address}" if len(comparison.tasks) > 1 else ""
    best, other = (
        f"{row.model} with {findings.measure} {value_text(row.value, negated=findings.shown_negated)}"
        for row in (ranked[0], clean[0])
    )
    if ranked[0] == clean[0]:
        return [f"Best{on} with or without them: {best}."]
    return [f"Best{on} of all: {best}; of the others: {other}."]
