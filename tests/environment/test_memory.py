"""How much memory this process holds."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from assay.environment.memory import free_unused_memory, held_bytes, machine_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
_BYTES = 200_000_000


def test_memory_counts_while_it_is_held():
    free_unused_memory()
    before = held_bytes()

    kept = np.ones(_BYTES, np.uint8)
    during = held_bytes()
    del kept
    free_unused_memory()

    assert during - before > 0.9 * _BYTES
    assert held_bytes() - before < 0.1 * _BYTES


def test_mapped_files_are_not_held(tmp_path):
    np.save(tmp_path / "large.npy", np.ones(_BYTES, np.uint8))
    free_unused_memory()
    before = held_bytes()

    mapped = np.load(tmp_path / "large.npy", mmap_mode="r")

    assert mapped.sum() == _BYTES
    assert held_bytes() - before < 0.1 * _BYTES


def test_the_machine_has_more_than_this_process_holds():
    assert machine_bytes() > held_bytes()
