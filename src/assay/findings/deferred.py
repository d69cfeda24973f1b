"""A sequence of findings that is computed when it is first read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, final, overload

Item_co = TypeVar("Item_co", covariant=True)


@final
class Deferred(Sequence[Item_co]):
    """The items that a function returns, computed once, when they are asked for; equal to their tuple.

    >>> numbers = Deferred(lambda: map(abs, [-1, 2]))
    >>> numbers[0], len(numbers), numbers == (1, 2)
    (1, 2, True)
    """

    __slots__ = ("_compute", "_items")

    def __init__(self, compute: Callable[[], Iterable[Item_co]]) -> None:
        self._compute: Callable[[], Iterable[Item_co]] | None = compute
        self._items: tuple[Item_co, ...] = ()

    def _all(self) -> tuple[Item_co, ...]:
        if self._compute is not None:
            self._items = tuple(self._compute())
            self._compute = None  # what it needed is freed
        return self._items

    @overload
    def __getitem__(self, position: int) -> Item_co: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Item_co]: ...
    def __getitem__(self, position: int | slice) -> Item_co | Sequence[Item_co]:
        return self._all()[position]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, Deferred) else other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> tuple[type[tuple[Item_co, ...]], tuple[tuple[Item_co, ...]]]:
        return tuple, (self._all(),)
