"""Hyperparameter search on val, with the same number of trials and search space for every model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.training.loop import BestEpoch, Diverged, EpochReport, OutOfTime
from assay.training.recipe import CHOICES, RANGES, Recipe, TrainingPlan, rate_factor

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

_GENTLER = (0.1, 0.85)  # the second trial's learning rate factor and layer decay


class Pruned(Exception):
    """The trial was pruned because it was far behind the others."""


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The best trial and statistics of the search.

    Attributes:
        recipe: The recipe of the best trial.
        epoch: The best epoch of the trial.
        seconds: The duration of the trial.
        finished: The number of completed trials.
        pruned: The number of trials that were pruned or diverged.
    """

    recipe: Recipe
    epoch: BestEpoch
    seconds: float
    finished: int
    pruned: int


def best_trial(
    plan: TrainingPlan, seed: int, deadline: float, train: Callable[[Recipe, EpochReport], BestEpoch]
) -> BestTrial:
    """Try recipes and return the best by the value on val; ties go to the smaller loss.

    The second recipe uses a tenth of the learning rate and layer decay, which changes the pretrained weights
    less. The third lets batch normalisation learn new statistics if the first keeps them.

    Args:
        plan: The first recipe, the fields to tune, and the number of trials.
        seed: The seed of the sampler.
        deadline: The time after which no trial starts, by ``time.monotonic``.
        train: Trains by a recipe from the initial weights and reports each epoch.

    Raises:
        Diverged: Every trial diverged.
        OutOfTime: No trial finished an epoch.

    References:
        Algorithms for Hyper-Parameter Optimization (Bergstra et al., 2011), for the sampler (TPE), and
        Google Vizier (Golovin et al., 2017), for the median rule, both through Optuna.
    """
    import optuna

    start, space, study = plan.recipe, _space(plan), _study(seed)
    rate, decay = _GENTLER
    gentler = replace(start, learning_rate=rate * start.learning_rate, layer_decay=decay)
    for recipe in (start, gentler, replace(start, keeps_statistics=not start.keeps_statistics)):
        study.enqueue_trial({name: getattr(recipe, name) for name in space}, skip_if_exists=True)
    best: BestTrial | None = None
    pruned, failure = 0, None
    for number in range(plan.trials):
        if number and time.monotonic() > deadline:
            break
        trial = study.ask(space)
        recipe = replace(start, **trial.params)
        began = time.monotonic()
        try:
            epoch = train(recipe, _reporting(trial))
        except (Pruned, Diverged, OutOfTime) as reason:
            pruned, failure = pruned + 1, reason
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            continue
        study.tell(trial, epoch.value)
        if best is None or epoch.merit > best.epoch.merit:
            best = BestTrial(recipe, epoch, time.monotonic() - began, 0, 0)
    if best is None:
        raise failure or OutOfTime
    return replace(best, finished=len(study.trials) - pruned, pruned=pruned)


def _study(seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=5),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
    )


def _space(plan: TrainingPlan) -> dict[str, BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    factors = {"learning_rate": rate_factor(plan.recipe.optimiser)}
    space: dict[str, BaseDistribution] = {}
    for name in plan.tuned:
        if name in CHOICES:
            space[name] = CategoricalDistribution(CHOICES[name])
        else:
            low, high = (factors.get(name, 1.0) * end for end in RANGES[name])
            space[name] = FloatDistribution(low, high, log=True)
    return space


def _reporting(trial: optuna.Trial) -> EpochReport:
    def report(epoch: int, value: float) -> None:
        trial.report(value, epoch)
        if trial.should_prune():
            raise Pruned

    return report
