"""Files that describe the project: they agree with each other and with the code. No image is built here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from assay.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def instructions(name: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile with their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [
        (word, rest.strip()) for line in text.splitlines() if line for word, _, rest in [line.partition(" ")]
    ]


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.cuda"])
def test_an_image_runs_the_demo_as_a_user_without_rights(name):
    written = instructions(name)
    words = [word for word, _ in written]
    last = dict(written)

    assert set(words) <= {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert words[0] == "FROM"
    assert words.index("RUN") < words.index("USER") < words.index("ENTRYPOINT")
    assert last["USER"] == "1000"  # a number, by which clusters see that it is not root
    assert "useradd --create-home --uid 1000" in last["RUN"]
    assert (last["ENTRYPOINT"], last["CMD"]) == ('["assay"]', '["demo"]')
    assert "demo" in {command.name for command in app.registered_commands}
    copied = [source for word, rest in written if word == "COPY" for source in rest.split()[:-1]]
    allowed = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert all((ROOT / source).exists() and f"!{source}" in allowed for source in copied)


def test_the_release_is_the_same_everywhere():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    released = re.findall(
        r"^## (\d+\.\d+\.\d+) - (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )

    assert (
        released[0]
        == (VERSION, citation["date-released"])
        == (citation["version"], citation["date-released"])
    )
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_for_an_issue_asks_something(path):
    form = pytest.importorskip("yaml").safe_load(path.read_text("utf-8"))

    if path.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    assert {"name", "description", "body"} <= set(form)
    identities = [field["id"] for field in form["body"]]
    assert len(identities) == len(set(identities)) > 0
    assert all(field["attributes"]["label"] for field in form["body"])
