"""The script of a SLURM array: a shell hands the very words to the command, whatever the study is called."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assay.actions.slurm import Resources, slurm_script
from assay.core.errors import UsageError

HOSTILE = "$(touch owned);`touch owned` 'a' \"b\" #%A & *"


def test_a_shell_runs_the_very_words_of_a_script(tmp_path, monkeypatch):
    folder = tmp_path / HOSTILE
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.executable", "/bin/echo")
    script = slurm_script(Path(f"{HOSTILE}.toml"), 3, folder / "plan", Resources(gpus=1), ["--seed", HOSTILE])

    shell = subprocess.run(
        ["bash", "-c", script], env={"SLURM_ARRAY_TASK_ID": "2"}, capture_output=True, text=True, check=True
    )

    words = ["-m assay run", f"{HOSTILE}.toml", "--plan", str(folder / "plan"), "--seed", HOSTILE]
    assert shell.stdout == " ".join([*words, "--shard 2/3\n"])
    assert not list(tmp_path.rglob("owned"))
    assert "#%%A & *" in script.partition("--output=")[2].partition("\n")[0]


@pytest.mark.parametrize("name", ["a\nb", "caf\udce9", "a\x1b[2J"])
def test_a_name_that_would_end_a_directive_is_refused(name):
    with pytest.raises(UsageError, match="has a character that no script can hold"):
        slurm_script(Path(f"{name}.toml"), 1, Path("plan"), Resources())
