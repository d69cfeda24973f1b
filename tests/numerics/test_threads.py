"""Threads of two BLAS libraries."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import ThreadpoolController

from assay.numerics.threads import one_thread_in_scipy


def threads(of: str) -> list[int]:
    np.linalg.cholesky(np.eye(2))
    scipy.linalg.cholesky(np.eye(2))
    return [
        first["num_threads"] for first in ThreadpoolController().info() if f"{of}.libs" in first["filepath"]
    ]


def test_only_scipy_is_held_to_one_thread_and_only_inside():
    before = threads("numpy"), threads("scipy")
    if not all(before):
        pytest.skip("needs two BLAS libraries: numpy and scipy share one here")

    with one_thread_in_scipy():
        inside = threads("numpy"), threads("scipy")

    assert inside == (before[0], [1])
    assert (threads("numpy"), threads("scipy")) == before


def test_threads_come_back_after_an_error():
    before = threads("scipy")

    with pytest.raises(ZeroDivisionError), one_thread_in_scipy():
        1 / 0  # noqa: B018

    assert threads("scipy") == before
