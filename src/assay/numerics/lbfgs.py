"""Batched L-BFGS: each problem has its own steps and leaves the batch when it has converged."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

PAIRS = 10  # history size
_ENOUGH = 1e-4  # Armijo constant: share of the decrease predicted by the gradient
_SHORTEST = 1e-6  # shortest step of the line search, relative to the first
_ROUNDING = 4  # rounding error of a value, in units in the last place

# points (problems x numbers) and positions of the problems -> values in double precision, and gradients
Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Stop(NamedTuple):
    """The convergence criterion of a problem."""

    above: float  # allowed distance above the minimum, relative to the value
    max_steps: int


class Minima(NamedTuple):
    """The final points of the problems."""

    points: Tensor  # problems x numbers
    arrived: Tensor  # problems: whether each converged


class _State(NamedTuple):
    """The active problems: row n of every field belongs to member n."""

    members: Tensor
    points: Tensor
    values: Tensor
    slopes: Tensor
    lengths: Tensor  # step lengths to try, in units of the direction: a column
    unit: Tensor  # inverse curvature along the last step: a column


class _Pair(NamedTuple):
    """A step of each problem, the change of the gradient, and 1 / their product (0 without a step)."""

    steps: Tensor
    changes: Tensor
    weights: Tensor


def minimise(objective: Objective, start: Tensor, stop: Stop) -> Minima:
    """Minimise smooth, strictly convex functions in one batch.

    In each round every problem tries one point; if the decrease is too small, it tries a shorter step in the
    next round. Problems should be scaled to a curvature near 1. A problem has converged when half its
    gradient along the quasi-Newton direction, which estimates its distance above the minimum, is small.
    scipy and torch minimise one function at a time; ``benchmarks/probes.py`` shows the gain of the batch.

    Args:
        objective: The functions.
        start: The initial points.  # problems x numbers
        stop: The convergence criterion.

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
    """Try one point of each problem: accept it if the decrease suffices, else shorten the next step."""
    steps = state.lengths * directions
    values, slopes = objective(state.points + steps, state.members)
    promised = (state.lengths * descents)[:, 0].double()
    rounding = _ROUNDING * torch.finfo(steps.dtype).eps * state.values.abs()
    good = values <= state.values + _ENOUGH * promised + rounding
    taken = good[:, None]
    changes = slopes - state.slopes
    products = _inner(steps, changes)
    known = taken & (products > 0)
    shrink = -promised / (2 * (values - state.values - promised))  # minimum of a parabola
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
    """Return the quasi-Newton directions: minus the inverse Hessian estimate times the gradients."""
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
