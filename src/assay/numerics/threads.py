"""Prevents two BLAS libraries from waiting for each other's threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread_in_scipy() -> Iterator[None]:
    """Run the BLAS of scipy on one thread; that of numpy, for large products, keeps all threads.

    Wheels of numpy and scipy each contain a BLAS, whose idle threads spin for a while. A scipy optimiser that
    alternates with numpy products then waits for a core at every step: on two cores a linear probe took
    10.6 seconds without this and 0.4 with it.
    """
    from threadpoolctl import ThreadpoolController

    controller = ThreadpoolController()
    of_scipy = [library["filepath"] for library in controller.info() if "scipy.libs" in library["filepath"]]
    with controller.select(filepath=of_scipy).limit(limits=1):
        yield
