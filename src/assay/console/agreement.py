"""Shows how well scores predicted what training gave."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from assay.analysis.wording import value_text
from assay.console.tables import fitted
from assay.core.comparison import Comparison


def show_agreement(comparison: Comparison, console: Console) -> None:
    """Print how well each score predicted what training gave, task by task."""
    if not comparison.agreement:
        return
    console.print()
    console.print(Text(f"How well the scores predicted {comparison.ranked_by}", style="bold"))
    console.print(Text("τ_w: 1 is the same order, 0 none; regret: lost by trusting the score", style="dim"))
    order = [one.task.address for one in comparison.tasks]
    rows = [
        (
            "",
            one.task,
            one.score,
            *("–" if tau is None else value_text(tau, places=2) for tau in (one.weighted_tau, one.spearman)),
            value_text(one.regret, places=3),
            str(one.models),
        )
        for one in sorted(comparison.agreement, key=lambda one: order.index(one.task))
    ]
    titles = ("", "task", "score", "τ_w", "Spearman", "regret", "models")
    console.print(fitted(titles, rows, console.width))
