"""Prints the differences between a model and its replacement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rich.console import Console
from rich.text import Text

from assay.analysis.pairwise import ALPHA
from assay.core.escaping import one_line
from assay.core.text import plural
from assay.findings.change import Change, Flip, Flips, TaskChange
from assay.findings.facts import ModelRow
from assay.findings.short import with_short_names
from assay.reports.terminal.tables import fitted_table, print_note
from assay.wording.change import PAIR_ALONE, classes_text, feature_spaces_text, index_remarks
from assay.wording.numbers import count, disk_space, duration, interval_text, macs_text, value_text
from assay.wording.speed import unreliable_latencies

_CLASSES = 5  # losses and gains that are listed
_EXAMPLES = 5  # flips of each sign
_COSTS: tuple[tuple[str, Callable[[ModelRow], float | None], Callable[[float], str]], ...] = (
    ("parameters", lambda row: row.facts.parameters, lambda number: count(int(number))),
    ("MACs", lambda row: row.facts.macs, lambda number: macs_text(int(number))),
    ("size of weights", lambda row: row.facts.bytes, disk_space),
    ("feature width", lambda row: row.facts.width, lambda number: f"{number:,.0f}"),
    ("latency at batch 1", lambda row: row.latency_seconds, duration),
    ("examples per second", lambda row: row.throughput, lambda number: f"{number:,.1f}"),
)
_TIMED = ("latency at batch 1", "examples per second")
_TITLES = ("", "task", "metric", "before", "after", "change", "95 % CI", "p", "now wrong", "now right")
_FOOTNOTES = {
    "change": "change: after minus before",
    "95 % CI": PAIR_ALONE,
    "p": "p: Holm-corrected over tasks",
    "now wrong": "now wrong: right before, wrong after",
}


def show_change(change: Change, console: Console) -> None:
    """Print the answer, the difference on each task, and costs side by side."""
    called = partial(with_short_names, names=change.names)
    console.print(Text(one_line(f"before  {called(change.before.address)}"), style="bold"))
    console.print(Text(one_line(f"after   {called(change.after.address)}"), style="bold"))
    of_index = index_remarks(change)
    for remark in change.remarks:
        if remark not in of_index:
            console.print(Text(one_line(called(remark))))
    console.print()
    rows = [_row(task, called(task.task.address)) for task in change.tasks]
    table = fitted_table(_TITLES, rows, console.width)
    console.print(table)
    titles = {str(column.header) for column in table.columns}
    words = [f"by {change.method}", *(text for title, text in _FOOTNOTES.items() if title in titles)]
    print_note(console, "; ".join(words))
    for task in change.tasks:
        _show_task(task, called(task.task.address), console)
    for remark in of_index:
        console.print(Text(one_line(called(remark))))
    console.print()
    _show_costs(change, console)
    for reason in change.missing:
        print_note(console, called(reason))


def _row(task: TaskChange, name: str) -> tuple[str, ...]:
    negated, p_value, flips = task.shown_negated, task.p_value, task.flips
    mark = "" if p_value is None or p_value >= ALPHA else "▲" if task.difference > 0 else "▼"
    return (
        mark,
        name,
        task.measure,
        value_text(task.before, negated=negated),
        value_text(task.after, negated=negated),
        _signed(task.difference, negated=negated),
        interval_text(task.interval, negated=negated) or "–",
        "–" if p_value is None else f"{p_value:.3f}",
        "–" if flips is None else f"{flips.negative:,}",
        "–" if flips is None else f"{flips.positive:,}",
    )


def _signed(number: float, *, negated: bool) -> str:
    text = value_text(number, negated=negated, places=3)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def _show_task(task: TaskChange, name: str, console: Console) -> None:
    if task.flips is None and task.spaces is None:
        return
    console.print()
    console.print(Text(one_line(name), style="bold"))
    if task.flips is not None:
        _show_flips(task.flips, console)
    if task.spaces is not None:
        console.print(Text(feature_spaces_text(task.spaces)))


def _show_flips(flips: Flips, console: Console) -> None:
    console.print(
        Text(
            f"right before, wrong after: {flips.negative:,}; wrong before, right after: {flips.positive:,}; "
            f"wrong both times: {flips.both_wrong:,} of {plural(flips.examples, 'test example')}"
        )
    )
    changed = [change for change in flips.classes if change.negative or change.positive]
    losses = [change for change in changed if change.after < change.before][:_CLASSES]
    gains = [change for change in reversed(changed) if change.after > change.before][:_CLASSES]
    for word, classes in (("worse", losses), ("better", gains)):
        if classes:
            console.print(Text(one_line(classes_text(word, classes, ALPHA))))
    _show_examples("Now wrong", "true class -> now predicted", flips.regressed, flips.negative, console)
    _show_examples("Now right", "predicted before -> true class", flips.improved, flips.positive, console)


def _show_examples(title: str, arrow: str, flips: Sequence[Flip], count: int, console: Console) -> None:
    """Print a few examples with the class before, which is the true one or replaced by it, and after."""
    shown = flips[:_EXAMPLES]
    if shown:
        number = f"all {count:,}" if len(shown) == count else f"{len(shown):,} of {count:,}"
        print_note(console, f"{title}, {number}: {arrow}")
    for flip in shown:
        print_note(console, f"  {flip.example}: {flip.before} -> {flip.after}")


def _show_costs(change: Change, console: Console) -> None:
    rows = []
    for title, number, text in _COSTS:
        before, after = number(change.before), number(change.after)
        doubts = [title in _TIMED and row.latency_warning for row in (change.before, change.after)]
        shown = [
            "–" if value is None else f"{text(value)} (unreliable)" if doubt else text(value)
            for value, doubt in zip((before, after), doubts, strict=True)
        ]
        ratio = f"{after / before:.2f}" if before and after is not None else "–"
        rows.append(("", title, "", *shown, ratio))
    licences = [row.facts.licence or "not known" for row in (change.before, change.after)]
    rows.append(("", "licence", "", *licences, ""))
    console.print(fitted_table(("", "cost", "", "before", "after", "ratio"), rows, console.width))
    unreliable = unreliable_latencies((change.before, change.after))
    if unreliable:
        print_note(console, with_short_names(unreliable, change.names))
