"""A sequence of findings that is computed when it is first read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar, final, overload

Item_co = TypeVar("Item_co", covariant=True)


@final
class Deferred(Sequence[Item_co]):
    """The items that functions return, computed once, when they are asked for; equal to their tuple.

    With several functions by name, :meth:`part` calls only one of them.

    >>> numbers = Deferred(lambda: map(abs, [-1, 2]))
    >>> numbers[0], len(numbers), numbers == (1, 2)
    (1, 2, True)
    """

    __slots__ = ("_left", "_parts")

    def __init__(
        self, compute: Callable[[], Iterable[Item_co]] | Mapping[str, Callable[[], Iterable[Item_co]]]
    ) -> None:
        parts = compute if isinstance(compute, Mapping) else {"": compute}
        self._left = dict(parts)
        self._parts: dict[str, tuple[Item_co, ...]] = dict.fromkeys(parts, ())

    def part(self, name: str) -> tuple[Item_co, ...]:
        """Return the items that one of several functions returns; none for an unknown name."""
        if name in self._left:
            self._parts[name] = tuple(self._left[name]())
            del self._left[name]  # what it needed is freed
        return self._parts.get(name, ())

    def _all(self) -> tuple[Item_co, ...]:
        return tuple(item for name in self._parts for item in self.part(name))

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
