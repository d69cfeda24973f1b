"""Tunes a recipe: the same number of trials over the same space for every model, chosen on val."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from assay.training.loop import Diverged, Outcome, OutOfTime, Report
from assay.training.recipe import Recipe

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)


class Between(NamedTuple):
    """A number that is tuned, on a logarithmic scale."""

    low: float
    high: float


class Among(NamedTuple):
    """A choice that is tuned."""

    values: tuple[Any, ...]


Space = Mapping[str, Between | Among]  # by the name of a field of Recipe

SPACE: Space = {
    "learning_rate": Between(2e-5, 5e-3),
    "weight_decay": Between(1e-5, 1e-1),
    "layer_decay": Among((0.65, 0.75, 0.85, 1.0)),
    "label_smoothing": Among((0.0, 0.1)),
    "is_augmented": Among((False, True)),
    "keeps_statistics": Among((True, False)),
}
SGD_FACTOR = 20.0  # of learning rates, from AdamW to SGD with momentum
_GENTLER = (0.1, 0.85)  # of the second trial: its share of the learning rate, and its layer decay


class Pruned(Exception):
    """The trial is far behind the others."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best trial.

    Attributes:
        recipe: How it trained.
        outcome: Its best epoch.
        seconds: Its own time.
        finished: How many trials came to an end.
        pruned: How many were stopped because they were behind, or diverged.
    """

    recipe: Recipe
    outcome: Outcome
    seconds: float
    finished: int
    pruned: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be tried: the same for every model.

    Attributes:
        trials: Recipes that are tried; the first is the default one.
        deadline: When to stop, by ``time.monotonic``.
    """

    trials: int
    deadline: float = float("inf")


def tuned(
    start: Recipe, space: Space, budget: Budget, seed: int, run: Callable[[Recipe, Report], Outcome]
) -> Tuned:
    """Try recipes and return the best by the value on val, of equals the one with the smaller loss.

    The second recipe takes a tenth of the learning rate, and less far from the head: gentler with what
    pretraining left. The third learns new statistics where batch normalisation kept its own.

    Args:
        start: The recipe of the first trial, which the others change.
        space: What they change, and within which bounds.
        budget: How much may be tried.
        seed: Of the sampler.
        run: Trains by a recipe from the weights at the start, and reports each epoch.

    Raises:
        Diverged: Every trial diverged.
        OutOfTime: No trial came as far as one epoch.

    References:
        Algorithms for Hyper-Parameter Optimization (Bergstra et al., 2011), for the sampler (TPE), and
        Google Vizier (Golovin et al., 2017), for the median rule, both through Optuna.
    """
    study, (rate, decay) = _study(seed), _GENTLER
    gentler = replace(start, learning_rate=rate * start.learning_rate, layer_decay=decay)
    for recipe in (start, gentler, replace(start, keeps_statistics=not start.keeps_statistics)):
        study.enqueue_trial({name: getattr(recipe, name) for name in space}, skip_if_exists=True)
    best: Tuned | None = None
    pruned, failure = 0, None
    for number in range(budget.trials):
        if number and time.monotonic() > budget.deadline:
            break
        trial = study.ask()
        recipe = replace(start, **{name: _suggested(trial, name, range_) for name, range_ in space.items()})
        began = time.monotonic()
        try:
            outcome = run(recipe, _reporting(trial))
        except (Pruned, Diverged, OutOfTime) as reason:
            pruned, failure = pruned + 1, reason
            _tell(study, trial, None)
            continue
        _tell(study, trial, outcome.value)
        found = Tuned(recipe, outcome, time.monotonic() - began, number + 1 - pruned, pruned)
        if best is None or _merit(found) > _merit(best):
            best = found
    if best is None:
        raise failure or OutOfTime
    return replace(best, finished=len(study.trials) - pruned, pruned=pruned)


def _merit(one: Tuned) -> tuple[float, float]:
    return one.outcome.value, -one.outcome.loss


def _study(seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=5),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
    )


def _suggested(trial: optuna.Trial, name: str, space: Between | Among) -> Any:
    if isinstance(space, Among):
        return trial.suggest_categorical(name, space.values)
    return trial.suggest_float(name, space.low, space.high, log=True)


def _reporting(trial: optuna.Trial) -> Report:
    def report(epoch: int, value: float) -> None:
        trial.report(value, epoch)
        if trial.should_prune():
            raise Pruned

    return report


def _tell(study: optuna.Study, trial: optuna.Trial, value: float | None) -> None:
    import optuna

    if value is None:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, value)
