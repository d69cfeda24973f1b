"""Divides work of known cost among shares, and keeps related work together where balance allows."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Sequence

_EXCESS = 1.05  # of the largest share above an equal one, from which groups are divided


def balanced(costs: Sequence[float], groups: Sequence[Hashable], shares: int) -> list[list[int]]:
    """Return which positions each share has, in ascending order; at most as many shares as positions.

    Groups are placed whole, the most expensive first, each in the share with the least cost so far. While
    a share is more than 5 % larger than an equal part, or than the largest position, its largest group is
    halved.

    Args:
        costs: The cost of each position.
        groups: The group of each position.
        shares: The number of shares.

    >>> balanced([3, 3, 2, 2, 2], ["a", "a", "b", "b", "b"], 2)
    [[0, 1], [2, 3, 4]]
    >>> balanced([1, 1, 1, 1], ["a"] * 4, 2)
    [[0, 1], [2, 3]]
    """
    pieces: dict[Hashable, list[int]] = {}
    for position, group in enumerate(groups):
        pieces.setdefault(group, []).append(position)
    shares = min(shares, len(costs))
    allowed = _EXCESS * max(sum(costs) / max(shares, 1), max(costs, default=0.0))
    left = list(pieces.values())
    while True:
        placed = _placed(left, costs, shares)
        loads = [sum(costs[position] for piece in share for position in piece) for share in placed]
        full = all(placed)
        if full and max(loads, default=0.0) <= allowed:
            break
        among = placed[loads.index(max(loads))] if full else left
        largest = max(
            (piece for piece in among if len(piece) > 1),
            key=lambda piece: sum(costs[position] for position in piece),
            default=None,
        )
        if largest is None:
            break
        left.remove(largest)
        left += _halves(largest, costs)
    return [sorted(position for piece in share for position in piece) for share in placed]


def _placed(pieces: Sequence[list[int]], costs: Sequence[float], shares: int) -> list[list[list[int]]]:
    weights = [sum(costs[position] for position in piece) for piece in pieces]
    placed: list[list[list[int]]] = [[] for _ in range(shares)]
    heap = [(0.0, 0, share) for share in range(shares)]
    for number in sorted(range(len(pieces)), key=lambda number: -weights[number]):
        load, count, share = heapq.heappop(heap)
        placed[share].append(pieces[number])
        heapq.heappush(heap, (load + weights[number], count + 1, share))
    return placed


def _halves(piece: list[int], costs: Sequence[float]) -> list[list[int]]:
    half, so_far = sum(costs[position] for position in piece) / 2, 0.0
    for number, position in enumerate(piece[:-1], 1):
        so_far += costs[position]
        if so_far >= half or number == len(piece) - 1:
            return [piece[:number], piece[number:]]
    return [piece]
