"""Prints the differences between a model and its replacement."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rich.console import Console
from rich.text import Text

from assay.analysis.pairwise import ALPHA
from assay.core.escaping import one_line
from assay.core.text import plural
from assay.findings.change import Change, ClassChange, FeatureSpaceSimilarity, Flips, TaskChange
from assay.findings.facts import ModelRow
from assay.findings.short import with_short_names
from assay.reports.terminal.tables import fitted_table, print_note
from assay.wording.change import index_remarks
from assay.wording.numbers import count, duration, interval_text, value_text
from assay.wording.speed import unreliable_latencies

_CLASSES = 5  # losses and gains that are listed
_EXAMPLES = 5  # flips of each sign
_COSTS: tuple[tuple[str, Callable[[ModelRow], float | None], Callable[[float], str]], ...] = (
    ("parameters", lambda row: row.facts.parameters, lambda number: count(int(number))),
    ("multiply-accumulates", lambda row: row.facts.macs, lambda number: count(int(number))),
    ("bytes of weights", lambda row: row.facts.bytes, lambda number: count(int(number))),
    ("feature width", lambda row: row.facts.width, lambda number: f"{number:,.0f}"),
    ("latency at batch 1", lambda row: row.latency_seconds, duration),
    ("examples per second", lambda row: row.throughput, lambda number: f"{number:,.1f}"),
)
_TIMED = ("latency at batch 1", "examples per second")
_TITLES = ("", "task", "metric", "before", "after", "change", "95 % interval", "p", "now wrong", "now right")
_FOOTNOTES = {
    "change": "change: after minus before",
    "95 % interval": "95 % interval for other test examples",
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
        console.print(Text(_feature_spaces(task.spaces)))


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
    for title, classes in (("worse classes", losses), ("better classes", gains)):
        if classes:
            console.print(Text(one_line(f"{title}: {'; '.join(map(_class, classes))}")))
    for title, examples in (("now wrong", flips.regressed), ("now right", flips.improved)):
        for flip in examples[:_EXAMPLES]:
            predicted = f"predicted {flip.before} before, {flip.after} now"
            print_note(console, f"  {title}: {flip.example} is {flip.truth}; {predicted}")


def _class(change: ClassChange) -> str:
    sure = " (significant)" if change.p_value < ALPHA else ""
    return (
        f"{change.name} {100 * change.before:.0f} % to {100 * change.after:.0f} % of {change.examples}{sure}"
    )


def _feature_spaces(spaces: FeatureSpaceSimilarity) -> str:
    in_old = spaces.in_old_index
    index = "" if in_old is None else f", {100 * in_old:.0f} % if new features search the old ones"
    return (
        f"features of {plural(spaces.examples, 'test example')}: CKA {spaces.cka:.2f}; "
        f"of {spaces.neighbours} nearest neighbours {100 * spaces.overlap:.0f} % are the same{index} "
        f"(unrelated features: about {100 * spaces.by_chance:.1f} %)"
    )


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
