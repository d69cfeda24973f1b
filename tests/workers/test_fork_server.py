"""Starting a worker from a process that has its library."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assay.core.errors import ModelError
from assay.workers.worker import Worker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def test_a_library_that_cannot_be_loaded_is_named_and_leaves_no_file_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    with pytest.raises(ModelError, match=r"(?s)No process for the model can be started.*no_such_library"):
        Worker("targets:echo", "no_such_library:load", {})

    assert (
        len(list(Path("/proc/self/fd").iterdir())) <= before + 2
    )  # the last server is kept, which has ended
