"""The base class of contracts: test classes whose tests run only for plug-ins with given properties."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, ClassVar, TypeVar

import pytest

from assay.plugins.function_score import score_of_function

Law = TypeVar("Law", bound=Callable[..., None])
Values = Mapping[str, Callable[[Any], Iterable[object]]]  # parameter name -> its values for a plug-in


def applies_if(condition: Callable[[Any], object]) -> Callable[[Law], Law]:
    """Mark a test that applies only to plug-ins for which ``condition`` is true."""

    def mark(law: Law) -> Law:
        law.applies_if = condition  # type: ignore[attr-defined]  # read by `_applies`
        return law

    return mark


class Contract:
    """The base class of contracts whose tests depend on the declarations of a plug-in.

    Tests receive the plug-in and parameters by name, like fixtures. pytest needs both at collection, so
    the fixture of the plug-in may use no other fixture.

    Attributes:
        subject: The name of the fixture that returns the plug-in.
        parameters: For each test parameter, a function from the plug-in to its values.
    """

    subject: ClassVar[str]
    parameters: ClassVar[Values]

    @classmethod
    def plugins(cls) -> Mapping[str, Any]:
        """Return the plug-ins under test by name; by default, the plug-in of the fixture."""
        fixture = inspect.unwrap(getattr(cls, cls.subject))
        if len(inspect.signature(fixture).parameters) != 1 or inspect.isgeneratorfunction(fixture):
            raise TypeError(
                f"The fixture '{cls.subject}' of {cls.__name__} asks for fixtures, or yields. Let it return "
                "a plug-in built from its settings, or override the class method 'plugins'."
            )
        plugin = fixture(cls())
        if inspect.isfunction(plugin):  # a score may be one
            plugin = score_of_function(plugin)()
        return {type(plugin).__name__: plugin}

    def __init_subclass__(cls) -> None:
        """Set tests that apply to no plug-in to None, so that pytest does not collect them."""
        super().__init_subclass__()
        try:
            plugins = list(cls.plugins().values())
        except NotImplementedError:  # the contract class itself has no plug-in
            return
        for name, law in _laws(cls).items():
            setattr(cls, name, law if any(_applies(law, plugin) for plugin in plugins) else None)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrise a test by the plug-ins that it applies to and the values of its parameters."""
        if self.subject not in metafunc.fixturenames:
            return
        names = [name for name in self.parameters if name in metafunc.fixturenames]
        cases = [
            pytest.param(plugin, *values, id="-".join(map(_label, (key, *values))))
            for key, plugin in self.plugins().items()
            if _applies(metafunc.function, plugin)
            for values in product(*(self.parameters[name](plugin) for name in names))
        ]
        metafunc.parametrize([self.subject, *names], cases)


def _laws(contract: type[Contract]) -> dict[str, Callable[..., None]]:
    """Return the tests of a class and its bases, including tests that a base has set to None."""
    return {
        name: member
        for base in reversed(contract.__mro__)
        for name, member in vars(base).items()
        if name.startswith("test_") and callable(member)
    }


def _applies(law: Callable[..., None], plugin: object) -> bool:
    condition = getattr(law, "applies_if", None)
    return condition is None or bool(condition(plugin))


def _label(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
