"""The process is as it was after a block, whatever the block did."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from assay.environment.process_state import from_start, settings_now, starting_folder, undone


def test_an_error_inside_passes_and_everything_is_undone(monkeypatch):
    monkeypatch.setenv("ASSAY_TEST", "before")
    here = Path.cwd()

    def change():
        with undone():
            os.chdir("/")
            os.environ["ASSAY_TEST"] = "inside"
            raise GeneratorExit

    with pytest.raises(GeneratorExit):
        change()

    assert (Path.cwd(), os.environ["ASSAY_TEST"]) == (here, "before")


def test_settings_of_an_opened_model_hold_in_its_blocks_alone():
    with undone():
        sys.path.insert(0, "/repository of the model")
        settings = settings_now()
    between = list(sys.path)

    with undone(settings):
        inside = list(sys.path)

    assert inside == ["/repository of the model", *between]
    assert sys.path == between


def test_what_one_block_does_is_not_seen_in_the_next_one():
    with undone():
        settings = settings_now()
    with undone(settings):
        tempfile.tempdir = "/gone"

    with undone(settings):
        assert tempfile.tempdir != "/gone"


def test_paths_are_meant_from_where_the_study_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with undone():
        os.chdir("/")
        path = from_start("vectors.npz")
        with starting_folder():
            inside = Path.cwd()
        outside = Path.cwd()

    assert (path, inside, outside) == (tmp_path / "vectors.npz", tmp_path, Path("/"))


def test_a_folder_that_is_gone_ends_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with undone():
        (tmp_path / "of the model").mkdir()
        os.chdir(tmp_path / "of the model")
        (tmp_path / "of the model").rmdir()
        with undone():
            pass

    assert Path.cwd() == tmp_path


LEAVES_THREADS = """
import threading
from concurrent.futures import ThreadPoolExecutor
from assay.environment.process_state import undone

never = threading.Event()
with undone():
    threading.Thread(target=never.wait).start()
    ThreadPoolExecutor(1).submit(never.wait)
print("done")
"""


def test_threads_that_were_left_do_not_keep_the_process_from_ending():
    ended = subprocess.run(  # without the guard it would wait for ever
        [sys.executable, "-c", LEAVES_THREADS], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout) == (0, "done\n")


@pytest.mark.parametrize("error", ["MemoryError", "KeyboardInterrupt"])
def test_a_library_whose_import_was_interrupted_can_be_imported_again(tmp_path, monkeypatch, error):
    name = f"interrupted_by_{error}"
    package = tmp_path / name
    (package / "kernels").mkdir(parents=True)
    (package / "__init__.py").write_text(
        f"import os\nimport {name}.kernels.fast\nRESULT = {name}.kernels.fast.VALUE\n"
        f"if 'ASSAY_INTERRUPT' in os.environ: raise {error}\n"
    )
    (package / "kernels" / "__init__.py").touch()
    (package / "kernels" / "fast.py").write_text("VALUE = 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ASSAY_INTERRUPT", "1")
    with pytest.raises((MemoryError, KeyboardInterrupt)), undone():
        importlib.import_module(name)
    monkeypatch.delenv("ASSAY_INTERRUPT")

    with undone():
        library = importlib.import_module(name)

    assert library.RESULT == 7
