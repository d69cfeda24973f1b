"""Formats numbers consistently for all sentences and reports."""

from __future__ import annotations

import math
from collections.abc import Iterable

from assay.core.estimate import Interval
from assay.core.task import Modality

PLURAL = {Modality.IMAGE: "images", Modality.TEXT: "texts", Modality.AUDIO: "sounds"}
_UNITS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


def as_shown(value: float, *, negated: bool) -> float:
    """Return a value as shown to readers: RMSE is negative inside and positive in reports.

    >>> as_shown(-0.5, negated=True)
    0.5
    """
    return -value + 0.0 if negated else value


def shown_interval(interval: Interval, *, negated: bool) -> Interval:
    """Return an interval as shown to readers, low before high."""
    if not negated:
        return interval
    return Interval(
        as_shown(interval.high, negated=True), as_shown(interval.low, negated=True), level=interval.level
    )


def decimals(values: Iterable[float]) -> int:
    """Return the number of decimals for a column of values: 3 for shares, fewer for large numbers.

    >>> decimals([0.93, 0.1]), decimals([1234.5, 0.2])
    (3, 1)
    """
    largest = max((abs(value) for value in values), default=0.0)
    if largest >= 100:
        return 1
    if largest >= 10:
        return 2
    return 3 if largest >= 0.01 or largest == 0 else min(12, 2 - math.floor(math.log10(largest)))


def value_text(value: float, *, negated: bool = False, places: int | None = None) -> str:
    """Return a value as text.

    >>> value_text(-0.5, negated=True)
    '0.500'
    """
    number = as_shown(value, negated=negated)
    text = f"{number:.{decimals([number]) if places is None else places}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def interval_text(interval: Interval | None, *, negated: bool = False, places: int | None = None) -> str:
    """Return an interval as text.

    >>> interval_text(Interval(0.91, 0.95))
    '0.910 to 0.950'
    """
    if interval is None:
        return ""
    seen = shown_interval(interval, negated=negated)
    wanted = decimals([seen.low, seen.high]) if places is None else places
    return f"{value_text(seen.low, places=wanted)} to {value_text(seen.high, places=wanted)}"


def difference_text(interval: Interval, *, negated: bool = False, places: int) -> str:
    """Return the interval of a difference as text; an end that is rounded to 0 has more digits.

    >>> difference_text(Interval(-0.1, -0.001), places=2), difference_text(Interval(-0.1, 0.0), places=2)
    ('−0.10 to −0.001', '−0.10 to 0.00')
    """
    seen = shown_interval(interval, negated=negated)
    return " to ".join(_end(end, places).replace("-", "−") for end in (seen.low, seen.high))


def _end(end: float, places: int) -> str:
    texts = [f"{end:.{digits}f}" for digits in range(places, places + 3)]
    return next((text for text in texts if float(text)), texts[0] if end == 0 else texts[-1])


def duration(seconds: float | None) -> str:
    """Return a duration with its unit, at most three digits.

    >>> duration(0.0123), duration(95), duration(1800), duration(7325), duration(None)
    ('12.3 ms', '1 min 35 s', '30 min', '2 h 2 min', '')
    """
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{_three_digits(seconds * 1e3)} ms"
    if seconds < 60:
        return f"{_three_digits(seconds)} s"
    whole = round(seconds)
    if whole < 3600:
        text = f"{whole // 60} min {whole % 60} s"
    else:
        text = f"{whole // 3600} h {whole % 3600 // 60} min"
    return text.removesuffix(" 0 s").removesuffix(" 0 min")


def count(number: int | None) -> str:
    """Return a large count, at most three digits.

    >>> count(86_567_656), count(999), count(None)
    ('86.6M', '999', '')
    """
    if number is None:
        return ""
    for size, unit in _UNITS:
        if number >= size:
            return f"{_three_digits(number / size)}{unit}"
    return str(number)


def macs_text(number: int | None) -> str:
    """Return a number of multiply-accumulates, at most three digits.

    >>> macs_text(4_130_000_000), macs_text(385_187_552)
    ('4.13G', '385M')
    """
    return count(number).replace("B", "G")


def disk_space(size: float) -> str:
    """Return a number of bytes with its unit, at most three digits.

    >>> disk_space(0), disk_space(4096), disk_space(1.5e9)
    ('0 B', '4.10 kB', '1.50 GB')
    """
    if size < 999.5:
        return f"{size:.0f} B"
    size /= 1e3
    for unit in ("kB", "MB", "GB"):
        if size < 999.5:
            return f"{_three_digits(size)} {unit}"
        size /= 1e3
    return f"{_three_digits(size)} TB"


def _three_digits(number: float) -> str:
    places = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{places}f}"


def two_digits(number: int) -> int:
    """Return a count rounded up to two significant digits, to avoid false precision.

    >>> two_digits(1234), two_digits(7)
    (1300, 7)
    """
    size: int = 10 ** max(0, len(str(number)) - 2)
    return -(-number // size) * size


def probability_text(probability: float) -> str:
    """Return a probability in percent, which is never rounded to certainty.

    >>> probability_text(0.804), probability_text(0.998), probability_text(1.0), probability_text(0.001)
    ('80 %', 'more than 99 %', 'more than 99 %', 'less than 1 %')
    """
    if probability >= 0.995:
        return "more than 99 %"
    return "less than 1 %" if probability < 0.005 else f"{100 * probability:.0f} %"
