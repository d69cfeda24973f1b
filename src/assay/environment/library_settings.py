"""The global settings of imported libraries: how each is read and restored."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

_Read = Callable[[], Any]
_Write = Callable[[Any], object]


def _of(
    module: str,
    read: Callable[[Any], Any],
    write: Callable[[Any, Any], object],
    fresh: Callable[[Any], Any] | None = None,
) -> tuple[_Read, _Write]:
    """Return how to read and write a setting of a module; None is read where it is not imported.

    Args:
        module: The name of the module.
        read: Returns the setting, given the module.
        write: Sets it, given the module and the value.
        fresh: Returns the value right after the import: that is written where None was read before.
    """

    def read_if_imported() -> Any:
        return None if module not in sys.modules else read(sys.modules[module])

    def write_if_known(wanted: Any) -> None:
        if wanted is None and fresh is not None:
            wanted = fresh(sys.modules[module])
        if wanted is not None:
            write(sys.modules[module], wanted)

    return read_if_imported, write_if_known


def _names(module: str, *names: str, fresh: list[Any] | None = None) -> tuple[_Read, _Write]:
    """Return how to read and write attributes of a module."""

    def write(holder: Any, wanted: list[Any]) -> None:
        for name, value in zip(names, wanted, strict=True):
            setattr(holder, name, value)

    return _of(module, lambda holder: [getattr(holder, name) for name in names], write, lambda _: fresh)


_torch = functools.partial(_of, "torch")


def _set_inference_mode(torch: Any, wanted: bool) -> None:  # a value that was read
    guard = torch.inference_mode(wanted)
    guard.__enter__()  # there is no other way to leave a mode that somebody else entered
    _GUARDS[:] = [*_GUARDS, guard]


_GUARDS: list[Any] = []  # they would leave the mode when they are freed


def _set_device(torch: Any, wanted: str) -> None:
    torch.set_default_device(None if wanted == "cpu" else wanted)


def _set_deterministic(torch: Any, wanted: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(wanted[0], warn_only=wanted[1])


def _random(torch: Any) -> tuple[bytes, ...]:
    states = [torch.random.get_rng_state()]
    if torch.cuda.is_initialized():
        states += torch.cuda.get_rng_state_all()
    return tuple(bytes(state.numpy()) for state in states)


def _set_random(torch: Any, wanted: tuple[bytes, ...]) -> None:
    states = [torch.frombuffer(bytearray(state), dtype=torch.uint8) for state in wanted]
    torch.random.set_rng_state(states[0])
    if len(states) > 1:
        torch.cuda.set_rng_state_all(states[1:])


def _flushes(_: Any) -> bool:
    return sys.float_info.min / 2 == 0.0  # numbers below the smallest normal one


def _autocast(device: str) -> tuple[_Read, _Write]:
    return _torch(
        lambda torch: torch.is_autocast_enabled(device),
        lambda torch, wanted: torch.set_autocast_enabled(device, wanted),
        lambda _: False,
    )


def _inference(torch: Any) -> bool:
    return bool(torch.is_inference_mode_enabled())


def _deterministic(torch: Any) -> tuple[bool, bool]:
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    return torch.are_deterministic_algorithms_enabled(), warns


_TORCH = (
    _torch(
        lambda torch: torch.get_default_dtype(),
        lambda torch, wanted: torch.set_default_dtype(wanted),
        lambda torch: torch.float32,
    ),
    _torch(lambda torch: str(torch.get_default_device()), _set_device, lambda _: "cpu"),
    _torch(_inference, _set_inference_mode, lambda _: False),  # in front of the gradients, which it sets too
    _torch(
        lambda torch: torch.is_grad_enabled(),
        lambda torch, wanted: torch.set_grad_enabled(wanted),
        lambda _: True,
    ),
    _torch(
        lambda torch: torch.is_anomaly_enabled(),
        lambda torch, wanted: torch.autograd.set_detect_anomaly(wanted),
        lambda _: False,
    ),
    _torch(lambda torch: torch.get_num_threads(), lambda torch, wanted: torch.set_num_threads(wanted)),
    _torch(_deterministic, _set_deterministic, lambda _: (False, False)),
    _torch(
        lambda torch: torch.get_float32_matmul_precision(),
        lambda torch, wanted: torch.set_float32_matmul_precision(wanted),
        lambda _: "highest",
    ),
    _autocast("cpu"),
    _autocast("cuda"),
    _torch(_random, _set_random, lambda torch: (bytes(torch.Generator().get_state().numpy()),)),
    _torch(_flushes, lambda torch, wanted: torch.set_flush_denormal(wanted), lambda _: False),
    _names("torch.backends.cudnn", "benchmark", "deterministic", "enabled", fresh=[False, False, True]),
)


def _set_decimal(decimal: Any, wanted: tuple[int, str]) -> None:
    decimal.getcontext().prec, decimal.getcontext().rounding = wanted


def _threads() -> dict[str, int]:
    return {each.filepath: each.get_num_threads() for each in _pools(len(sys.modules)).lib_controllers}


def _set_threads(wanted: dict[str, int]) -> None:
    for each in _pools(len(sys.modules)).lib_controllers:
        if each.filepath in wanted:
            each.set_num_threads(wanted[each.filepath])


@functools.lru_cache(maxsize=1)
def _pools(_: int) -> Any:
    """Return the libraries with threads; they are found again after an import, for that takes a while."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


LIBRARY_PARTS: tuple[tuple[_Read, _Write], ...] = (
    *_TORCH,
    (_threads, _set_threads),
    _of(
        "decimal",
        lambda decimal: (decimal.getcontext().prec, decimal.getcontext().rounding),
        _set_decimal,
    ),
    _names("tempfile", "tempdir", fresh=[None]),
    _of(
        "socket",
        lambda socket: [socket.getdefaulttimeout()],
        lambda socket, wanted: socket.setdefaulttimeout(*wanted),
    ),
    _of(
        "multiprocessing",
        lambda module: [module.get_start_method(allow_none=True)],
        lambda module, wanted: module.set_start_method(*wanted, force=True),
    ),
    _names("PIL.Image", "MAX_IMAGE_PIXELS"),
    _names("PIL.ImageFile", "LOAD_TRUNCATED_IMAGES", fresh=[False]),
    _of(
        "sklearn", lambda sklearn: sklearn.get_config(), lambda sklearn, wanted: sklearn.set_config(**wanted)
    ),
    _of("keras.config", lambda config: config.floatx(), lambda config, wanted: config.set_floatx(wanted)),
)
