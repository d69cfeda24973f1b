"""Shows what changes when one model takes the place of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from assay.analysis.per_task.significance import ALPHA
from assay.findings.change import Change, ClassChange, Flip, Flips, Spaces, TaskChange
from assay.findings.facts import ModelRow
from assay.reports.terminal.tables import fitted
from assay.wording.numbers import count, duration, interval_text, plural, value_text

_CLASSES = 5  # losses and gains that are shown
_EXAMPLES = 5  # flips of each sign
_COSTS: tuple[tuple[str, Callable[[ModelRow], float | None], Callable[[float], str]], ...] = (
    ("parameters", lambda row: row.facts.parameters, lambda number: count(int(number))),
    ("multiply-accumulates", lambda row: row.facts.macs, lambda number: count(int(number))),
    ("bytes of weights", lambda row: row.facts.bytes, lambda number: count(int(number))),
    ("numbers in a feature", lambda row: row.facts.width, lambda number: f"{number:,.0f}"),
    ("latency at batch 1", lambda row: row.latency_seconds, duration),
    ("examples a second", lambda row: row.throughput, lambda number: f"{number:,.1f}"),
)


def show_change(change: Change, console: Console) -> None:
    """Print what changes: the answer, each task, costs side by side."""
    console.print(Text(f"before  {change.before.address}", style="bold"))
    console.print(Text(f"after   {change.after.address}", style="bold"))
    for remark in change.remarks:
        console.print(Text(remark))
    console.print()
    console.print(fitted(_TITLES, [_row(one) for one in change.tasks], console.width))
    console.print(
        Text(
            f"by {change.method}; change: after less before, 95 % interval for other test examples; "
            "p corrected by Holm over tasks; lost: right before, wrong after",
            style="dim",
        )
    )
    for one in change.tasks:
        _show_task(one, console)
    console.print()
    _show_costs(change, console)
    for reason in change.missing:
        console.print(Text(reason, style="dim"))


_TITLES = ("", "task", "metric", "before", "after", "change", "95 % interval", "p", "lost", "won")


def _row(one: TaskChange) -> tuple[str, ...]:
    negated = one.shown_negated
    mark = "" if one.p_value is None or one.p_value >= ALPHA else "▲" if one.difference > 0 else "▼"
    return (
        mark,
        one.task.address,
        one.measure,
        value_text(one.before, negated=negated),
        value_text(one.after, negated=negated),
        _signed(one.difference, negated=negated),
        interval_text(one.interval, negated=negated) or "–",
        "–" if one.p_value is None else f"{one.p_value:.3f}",
        "–" if one.flips is None else f"{one.flips.negative:,}",
        "–" if one.flips is None else f"{one.flips.positive:,}",
    )


def _signed(number: float, *, negated: bool) -> str:
    text = value_text(number, negated=negated, places=3)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def _show_task(one: TaskChange, console: Console) -> None:
    if one.flips is None and one.spaces is None:
        return
    console.print()
    console.print(Text(one.task.address, style="bold"))
    if one.flips is not None:
        _show_flips(one.flips, console)
    if one.spaces is not None:
        console.print(Text(_told(one.spaces)))


def _show_flips(flips: Flips, console: Console) -> None:
    total = f"of {plural(flips.examples, 'test example')}"
    console.print(
        Text(
            f"right before, wrong after: {flips.negative:,}; wrong before, right after: {flips.positive:,}; "
            f"wrong both times: {flips.both_wrong:,} {total}"
        )
    )
    changed = [one for one in flips.classes if one.negative or one.positive]
    losses = [one for one in changed if one.after < one.before][:_CLASSES]
    gains = [one for one in reversed(changed) if one.after > one.before][:_CLASSES]
    for title, classes in (("classes that lose", losses), ("classes that gain", gains)):
        if classes:
            console.print(Text(f"{title}: {'; '.join(map(_class, classes))}"))
    for title, examples in (("lost", flips.regressed), ("won", flips.improved)):
        _show_examples(title, examples[:_EXAMPLES], console)


def _class(one: ClassChange) -> str:
    sure = " (surely)" if one.p_value < ALPHA else ""
    return f"{one.name} {one.before:.0%} to {one.after:.0%} of {one.examples}{sure}"


def _show_examples(title: str, examples: Sequence[Flip], console: Console) -> None:
    for one in examples:
        console.print(
            Text(f"  {title}: {one.example} is {one.truth}; said {one.before}, says {one.after}", style="dim")
        )


def _told(one: Spaces) -> str:
    index = "" if one.in_old_index is None else f", {one.in_old_index:.0%} by new features in an old index"
    return (
        f"features of {plural(one.examples, 'test example')}: CKA {one.cka:.2f}; "
        f"of {one.neighbours} nearest neighbours {one.overlap:.0%} stay{index} (chance {one.by_chance:.1%})"
    )


def _show_costs(change: Change, console: Console) -> None:
    rows = []
    for title, number, text in _COSTS:
        before, after = number(change.before), number(change.after)
        shown = ["–" if one is None else text(one) for one in (before, after)]
        ratio = f"{after / before:.2f}" if before and after is not None else "–"
        rows.append(("", title, "", *shown, ratio))
    licences = [row.facts.licence or "not known" for row in (change.before, change.after)]
    rows.append(("", "licence", "", *licences, ""))
    console.print(fitted(("", "cost", "", "before", "after", "ratio"), rows, console.width))
