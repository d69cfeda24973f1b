"""Prints what searches find on a matrix of results."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from assay.core.estimate import Interval
from assay.core.text import few, listing, plural
from assay.findings.simulation import Coverage, Line, Simulation
from assay.reports.terminal.tables import plain_table, print_note
from assay.wording.numbers import interval_text

_HOW = "k: regret after k models, (best - best found) / (best - median), mean over data sets; 0 is best"
_RULES = {
    "search": "search: what past tasks and the models tried so far say",
    "static": "static: mean rank on past tasks",
    "portfolio": "portfolio: models that together do well on past tasks",
    "random": "random: any order, mean of 200",
    "halving": "halving: half of the models by the first score, half of those by the second, and so on",
    "joined": "joined: scores and past tasks, weighted as past tasks confirm",
    "search joined": "search joined: the search, from there on",
}
_WIDE = 150  # columns of a terminal with room for intervals
_NAMED = 3


def show_simulation(simulation: Simulation, console: Console) -> None:
    """Print the regret and the cost of each rule, and how often the bound held."""
    for note in simulation.notes:
        print_note(console, note)
    sets = (
        "" if simulation.data_sets == simulation.tasks else f" of {plural(simulation.data_sets, 'data set')}"
    )
    console.print(
        f"{plural(simulation.tasks, 'task')}{sets}, {plural(simulation.models, 'model')}; "
        "each data set is new in turn, the others are the past",
        highlight=False,
    )
    print_note(console, _HOW)
    print_note(
        console,
        "cost: how much of the cost of all models a rule spends until it has a model within "
        f"{simulation.tolerance:.4g} of the best; 100 % where {plural(max(simulation.trials), 'model')} are "
        "not enough",
    )
    if simulation.contaminated:
        done = "left out" if simulation.excluded else "included; --exclude-contaminated leaves them out"
        print_note(
            console, f"{plural(simulation.contaminated, 'result')} of models named after the task: {done}"
        )
    console.print()
    console.print(_regrets(simulation, has_intervals=console.width >= _WIDE))
    if simulation.has_costs:
        console.print()
        print_note(console, "Regret after this share of the cost of all models; 1: no model finished yet")
        console.print(_by_cost(simulation))
        console.print()
    for name, text in _RULES.items():
        if any(line.policy == name for line in simulation.lines):
            print_note(console, text)
    console.print()
    for sentence in _sentences(simulation):
        console.print(sentence, highlight=False)


def _regrets(simulation: Simulation, *, has_intervals: bool) -> Table:
    numbers = (*(f"k={trials}" for trials in simulation.trials), "mean cost", "median cost")
    table = plain_table((), ("rule",), numbers)
    for line in simulation.lines:
        regrets = [f"{regret:.3f}" for regret in line.regrets]
        if has_intervals:
            spans = [interval_text(span, places=2) if span else "" for span in line.intervals]
            regrets = [f"{regret} {span}".rstrip() for regret, span in zip(regrets, spans, strict=True)]
        table.add_row(line.policy, *regrets, *_cost(line))
    return table


def _by_cost(simulation: Simulation) -> Table:
    rows = [line.by_cost for line in simulation.lines]
    told = [place for place in range(len(simulation.shares)) if any(row[place] != 1 for row in rows)]
    table = plain_table((), ("rule",), tuple(f"{100 * simulation.shares[place]:g} %" for place in told))
    for line in simulation.lines:
        table.add_row(line.policy, *(f"{line.by_cost[place]:.3f}" for place in told))
    return table


def _cost(line: Line) -> tuple[str, str]:
    return f"{100 * line.cost:.1f} %", f"{100 * line.median_cost:.1f} %"


def _sentences(simulation: Simulation) -> list[str]:
    """Return the verdict, how often the bound held, and what was left out."""
    search = next(line for line in simulation.lines if line.policy == "search")
    sentences = []
    after: dict[str, list[tuple[int, Interval]]] = {}
    for trials, gain in zip(simulation.trials, search.gain, strict=True):
        if gain is not None and trials > 1:
            after.setdefault(_verdict(gain), []).append((trials, gain))
    for verdict, gains in after.items():
        numbers = listing([str(trials) for trials, _ in gains])
        spans = "; ".join(interval_text(gain, places=3) for _, gain in gains)
        sentences.append(f"Search {verdict} static after {numbers} models (95 % CI of the gain: {spans}).")
    if simulation.coverage is not None:
        sentences.append(_bound(simulation.coverage))
    if simulation.skipped:
        number = plural(len(simulation.skipped), "task")
        names = few(list(simulation.skipped), _NAMED)
        sentences.append(
            f"Not replayed: {number} ({names}), with fewer than three models, or without differences."
        )
    return sentences


def _verdict(gain: Interval) -> str:
    if gain.low > 0:
        return "has significantly less regret than"
    return "has significantly more regret than" if gain.high < 0 else "is not significantly different from"


def _bound(coverage: Coverage) -> str:
    if not coverage.tasks:
        return "No bound on what is missed: it needs nine past data sets, and one that is new."
    share = f"{100 * coverage.held / coverage.tasks:.0f} %"
    return (
        f"The 90 % bound on what is missed after {plural(coverage.trials, 'model')} held on {share} of "
        f"{plural(coverage.tasks, 'task')}; half of the bounds are below {coverage.high:.4g}."
    )
