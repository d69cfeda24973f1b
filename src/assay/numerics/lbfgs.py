"""L-BFGS for many problems at once: each takes its own steps, and leaves the batch when it has converged."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

PAIRS = 10  # steps that are remembered
_ENOUGH = 1e-4  # share of the decrease promised by the slope that a step must bring (Armijo)
_SHORTEST = 1e-6  # share of the first step below which no step decreases the value
_ROUNDING = 4  # units in the last digit by which a value may be wrong

# points (problems x numbers), and which problems they belong to -> values in double precision, and slopes
Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Stop(NamedTuple):
    """When a problem has converged."""

    above: float  # how far its value may lie above the minimum, as a share of the value
    max_steps: int


class Minima(NamedTuple):
    """Where the problems ended."""

    points: Tensor  # problems x numbers
    arrived: Tensor  # problems: False where it stopped before


class _State(NamedTuple):
    """The problems that are under way: the n-th row of everything belongs to the n-th member."""

    members: Tensor
    points: Tensor
    values: Tensor
    slopes: Tensor
    lengths: Tensor  # of the step to try, in units of the direction: a column
    unit: Tensor  # the inverse curvature along the last step: a column


class _Pair(NamedTuple):
    """A step of each problem, how the slope changed, and one over their product: 0 where none was taken."""

    steps: Tensor
    changes: Tensor
    weights: Tensor


def minimise(objective: Objective, start: Tensor, stop: Stop) -> Minima:
    """Minimise smooth, strictly convex functions, all at once.

    In each round every problem tries one point: where that brings too little, a shorter step in the next.
    The numbers of a problem should be in units in which its curvature is near 1. A problem has converged
    when half its slope along the Newton-like direction, which estimates how far it is above the minimum, is
    small.
    scipy and torch minimise one function at a time; ``benchmarks/probes.py`` shows what the batch gains.

    Args:
        objective: The functions.
        start: Where each begins.  # problems x numbers
        stop: When a problem leaves the batch.

    References:
        On the Limited Memory BFGS Method for Large Scale Optimization (Liu and Nocedal, 1989),
        https://doi.org/10.1007/BF01589116
    """
    members = torch.arange(len(start), device=start.device)
    ones = start.new_ones((len(start), 1))
    state = _State(members, start, *objective(start, members), ones, ones)
    minima = Minima(start.clone(), torch.zeros(len(start), dtype=torch.bool, device=start.device))
    pairs: list[_Pair] = []
    for step in range(stop.max_steps + 1):
        directions = _directions(state, pairs)
        descents = _inner(directions, state.slopes)
        arrived = descents[:, 0].abs() / 2 <= stop.above * state.values.abs()
        ended = arrived | (state.lengths[:, 0] < _SHORTEST) | (step == stop.max_steps)
        if ended.any():
            minima.points[state.members[ended]] = state.points[ended]
            minima.arrived[state.members[ended]] = arrived[ended]
            if ended.all():
                break
            state, directions, descents = _State(*_rows(~ended, state)), directions[~ended], descents[~ended]
            pairs = [_Pair(*_rows(~ended, pair)) for pair in pairs]
        state, pair = _tried(objective, state, directions, descents)
        pairs = [*pairs[-PAIRS + 1 :], pair]
    return minima


def _tried(objective: Objective, state: _State, directions: Tensor, descents: Tensor) -> tuple[_State, _Pair]:
    """Try one point of each problem: go there where it is good enough, else make the next step shorter."""
    steps = state.lengths * directions
    values, slopes = objective(state.points + steps, state.members)
    promised = (state.lengths * descents)[:, 0].double()
    rounding = _ROUNDING * torch.finfo(steps.dtype).eps * state.values.abs()
    good = values <= state.values + _ENOUGH * promised + rounding
    taken = good[:, None]
    changes = slopes - state.slopes
    products = _inner(steps, changes)
    known = taken & (products > 0)
    shrink = -promised / (2 * (values - state.values - promised))  # where a parabola is least
    shrink = shrink.nan_to_num(0.1).clamp(0.1, 0.5).to(steps.dtype)[:, None]
    after = _State(
        state.members,
        torch.where(taken, state.points + steps, state.points),
        torch.where(good, values, state.values),
        torch.where(taken, slopes, state.slopes),
        torch.where(taken, 1.0, state.lengths * shrink),
        torch.where(known, products / _inner(changes, changes), state.unit),
    )
    return after, _Pair(steps, changes, torch.where(known, 1 / products, 0.0))


def _directions(state: _State, pairs: list[_Pair]) -> Tensor:
    """Return minus the inverse of the curvature, as far as it is known, times the slopes."""
    direction = -state.slopes
    shares = []
    for pair in reversed(pairs):
        shares.append(pair.weights * _inner(pair.steps, direction))
        direction.addcmul_(shares[-1], pair.changes, value=-1)
    direction *= state.unit
    for pair, share in zip(pairs, reversed(shares), strict=True):
        direction.addcmul_(share - pair.weights * _inner(pair.changes, direction), pair.steps)
    return direction


def _inner(left: Tensor, right: Tensor) -> Tensor:
    products: Tensor = torch.linalg.vecdot(left, right)
    return products[:, None]


def _rows(chosen: Tensor, columns: tuple[Tensor, ...]) -> list[Tensor]:
    return [column[chosen] for column in columns]
