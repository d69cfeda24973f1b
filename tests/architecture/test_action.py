"""The action for GitHub: what it declares, and what its script does with the answer of assay gate."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".github" / "actions" / "gate.sh"
ASSAY = """#!/bin/sh
printf '%s\\n' "$@" > assay.txt
for argument; do
  file=${argument#--markdown=}
  [ "$file" = "$argument" ] || [ -z "$VERDICT" ] || echo "verdict: $VERDICT" > "$file"
done
exit $CODE
"""
GH = """#!/bin/sh
printf '%s\\n' "$@" > gh.txt
exit ${GH_CODE:-0}
"""


@pytest.fixture
def run(tmp_path):
    """Run the script with an assay and a gh of two lines; return its exit code and what it printed."""
    for name, text in (("assay", ASSAY), ("gh", GH)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def started(code: int, verdict: str, **environment: str) -> tuple[int, str]:
        environment |= {"CODE": str(code), "VERDICT": verdict, "GATE_BASELINE": "timm:a b; exit 9"}
        environment |= {"GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "output.txt"}
        environment |= {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", SCRIPT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    return started


def test_the_verdict_goes_to_the_summary_the_outputs_and_the_pull_request(run, tmp_path):
    code, _ = run(1, "fail", GATE_MODEL="new", GATE_TASKS="one\ntwo words", PULL_REQUEST="7")

    assert code == 1
    assert (tmp_path / "summary.md").read_text() == "verdict: fail\n"
    assert (tmp_path / "output.txt").read_text() == "verdict=fail\nexit-code=1\n"
    assert (tmp_path / "gh.txt").read_text().splitlines()[:3] == ["pr", "comment", "7"]
    asked = (tmp_path / "assay.txt").read_text().splitlines()
    assert asked[:3] == ["gate", "--baseline=timm:a b; exit 9", "--store=assay-store"]
    assert asked[-4:] == ["--task=one", "--task=two words", "--", "new"]


@pytest.mark.parametrize(("undecided", "exits"), [("fail", 3), ("pass", 0), ("maybe", 2)])
def test_too_few_data_fail_the_build_unless_it_says_otherwise(run, undecided, exits):
    assert run(3, "not enough data to tell", GATE_UNDECIDED=undecided)[0] == exits


def test_a_stop_without_a_verdict_is_no_verdict(run, tmp_path):
    assert run(1, "")[0] == 1
    assert "verdict=error" in (tmp_path / "output.txt").read_text()
    assert "stopped with exit code 1" in (tmp_path / "summary.md").read_text()
    assert not (tmp_path / "gh.txt").exists()


def test_a_refused_comment_is_a_warning(run):
    code, printed = run(0, "pass", PULL_REQUEST="7", GH_CODE="1")

    assert code == 0
    assert "::warning::The comment was not written" in printed


def test_the_action_hands_every_input_to_the_script_by_a_variable():
    yaml = pytest.importorskip("yaml")
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    install, decide = action["runs"]["steps"]
    values = " ".join(decide["env"].values())
    used = set(re.findall(r"inputs\.([a-z-]+)", f"{values} {install['if']}"))

    assert action["runs"]["using"] == "composite"
    assert used == set(action["inputs"])
    assert "${{" not in install["run"] + decide["run"]
    assert set(re.findall(r"\$\{?(GATE_\w+|PULL_REQUEST)", SCRIPT.read_text("utf-8"))) == {
        name for name in decide["env"] if not name.startswith("GH_")
    }
