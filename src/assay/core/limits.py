"""Limits on the cost and licence of models; models that exceed them are not ranked."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass

from assay.core.errors import UsageError
from assay.core.model import ModelFacts

LEFT_OUT = "left out: "  # begins the reason of each model that is not ranked
_COUNTS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_BYTES = {"b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that a model must meet to be ranked.

    >>> limits = Limits.of("25M", "20ms", ["apache-2.0", "mit"])
    >>> limits.max_parameters, limits.max_latency_seconds
    (25000000.0, 0.02)

    Attributes:
        max_parameters: The maximum number of weights, including the source head.
        max_latency_seconds: The maximum time for one standard example at batch size 1 on the study's machine.
        licences: Names or patterns of allowed licences; empty allows any.
    """

    max_parameters: float | None = None
    max_latency_seconds: float | None = None
    licences: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        max_parameters: str | float | None = None,
        max_latency: str | float | None = None,
        licences: Iterable[str] = (),
    ) -> Limits:
        """Parse limits: a count such as 25M or a number, a time such as 20ms or seconds.

        Raises:
            UsageError: A limit cannot be parsed.
        """
        return cls(
            _number("max_parameters", max_parameters, _COUNTS, "a count, as in 25M or 300k"),
            _number("max_latency", max_latency, _SECONDS, "a time, as in 20ms or 0.5s"),
            tuple(name.strip().lower() for name in licences),
        )

    def refusal(self, facts: ModelFacts, latency_seconds: float | None, *, is_reliable: bool = True) -> str:
        """Return why a model is not ranked, one fixed sentence per cause; empty if it is ranked.

        Args:
            facts: The facts about the model.
            latency_seconds: Its latency; None if it is unknown.
            is_reliable: Whether the latency is reliable; if it is not, the sentence says so.
        """
        if self.max_parameters is not None and facts.parameters > self.max_parameters:
            return LEFT_OUT + f"more than {self.max_parameters:,.0f} parameters"
        if self.max_latency_seconds is not None:
            if latency_seconds is None:
                return LEFT_OUT + "latency could not be measured"
            if latency_seconds > self.max_latency_seconds:
                doubt = "" if is_reliable else ", by an unreliable measurement"
                most = f"{1e3 * self.max_latency_seconds:,.4g} ms"
                return LEFT_OUT + f"latency of more than {most} per example{doubt}"
        return "" if facts.is_random else self._unlicensed(facts.licence)  # random weights have no licence

    def allows(self, licence: str) -> bool:
        """Return whether a licence is one of those allowed."""
        name = licence.strip().lower()
        return not self.licences or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.licences)

    def _unlicensed(self, licence: str | None) -> str:
        if not self.licences:
            return ""
        if licence is None:
            return LEFT_OUT + "unknown licence"
        return "" if self.allows(licence) else LEFT_OUT + f"licence {licence}"


NO_LIMITS = Limits()


def bytes_of(name: str, written: str | float) -> float:
    """Parse a size such as 20GB, or a number of bytes.

    >>> bytes_of("cache_size", "1.5GB")
    1500000000.0

    Raises:
        UsageError: It cannot be parsed.
    """
    found = _number(name, written, _BYTES, "a size, as in 20GB or 500MB")
    assert found is not None
    return found


def count_of(name: str, written: str | float) -> float:
    """Parse a count such as 25M, or a number; raise ``UsageError`` if it cannot be parsed."""
    found = _number(name, written, _COUNTS, "a count, as in 25M or 300k")
    assert found is not None
    return found


def _number(name: str, written: str | float | None, units: dict[str, float], how: str) -> float | None:
    if written is None:
        return None
    match = re.fullmatch(r"\s*([\d_]*\.?\d+(?:e\d+)?)\s*([a-z]*)\s*", str(written).lower())
    unitless = 1.0 if not isinstance(written, str) or "" in units else None
    unit = None if match is None else units.get(match[2]) if match[2] else unitless
    if match is None or unit is None:
        raise UsageError(f"{name} is {written!r}. Write {how}.")
    return round(float(match[1]) * unit, 9)
