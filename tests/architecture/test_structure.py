"""The shape of the code, checked."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import assay
from assay.plugins.families import BUILT_IN
from assay.plugins.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {
    str(path.relative_to(ROOT / "src" / "assay")): path.read_text("utf-8")
    for path in sorted((ROOT / "src").rglob("*.py"))
}
TREES = {path: ast.parse(text, path) for path, text in TEXTS.items()}
FAMILIES = (
    BUILT_IN.models,
    BUILT_IN.tasks,
    BUILT_IN.scores,
    BUILT_IN.protocols,
    BUILT_IN.metrics,
    BUILT_IN.reports,
)
OF_NO_FOLDER = {"architecture", "contracts", "frozen", "hub", "journeys", "reliability"}  # of the whole
FRAMEWORKS = ("torch", "timm", "transformers", "sentence_transformers", "sklearn", "scipy", "pyarrow", "PIL")


def test_a_file_is_one_idea_of_at_most_300_lines():
    assert [path for path, text in TEXTS.items() if len(text.splitlines()) > 300] == []


def test_a_module_says_what_it_is_in_its_first_line():
    assert [path for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_no_module_is_named_after_nothing():
    nothing = {"utils", "helpers", "common", "misc", "base", "manager"}

    assert [path for path in TEXTS if Path(path).stem in nothing] == []


def test_each_class_has_a_name_of_its_own():
    homes: dict[str, list[str]] = {}
    for path, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(path)

    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_each_folder_and_module_has_its_layer():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    layers = [name.strip() for line in contract["layers"] for name in line.split("|")]

    assert contract["exhaustive"]
    assert sorted(layers) == sorted(
        {path.partition("/")[0].removesuffix(".py") for path in TEXTS} - {"__init__"}
    )


def test_each_folder_of_tests_is_one_of_the_sources():
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}

    assert [
        str(folder)
        for folder in folders
        if str(folder) not in OF_NO_FOLDER and not (ROOT / "src" / "assay" / folder).is_dir()
    ] == []


@pytest.mark.parametrize("family", [*FAMILIES, BUILT_IN.engines], ids=lambda family: family.family)
def test_every_plug_in_shows_how_it_is_used(family):
    built_in = Registry(family.family, family.base, family.what)
    plugins = {name: built_in.load(name) for name in built_in.names()}
    texts = {
        name: f"{plugin.__doc__}{sys.modules[plugin.__module__].__doc__}" for name, plugin in plugins.items()
    }

    assert [name for name, text in texts.items() if ">>> " not in text] == []


def test_core_imports_numpy_and_the_standard_library_alone():
    imported = {
        name.partition(".")[0]
        for path, tree in TREES.items()
        if path.startswith("core/")
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported - sys.stdlib_module_names == {"assay", "numpy"}


def test_public_names_are_sorted_and_there():
    assert assay.__all__ == sorted(assay.__all__)
    assert all(getattr(assay, name) for name in assay.__all__)


@pytest.mark.parametrize(
    "statement",
    ["import assay", "import assay.cli.main as main, assay.cli.completion as names; names.everything('t')"],
)
def test_starting_loads_no_framework(statement):
    shown = f"import sys; {statement}; print([name for name in {FRAMEWORKS} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.family)
def test_every_plug_in_is_named_in_the_readme_or_the_changelog(family):
    text = (ROOT / "README.md").read_text("utf-8") + (ROOT / "CHANGELOG.md").read_text("utf-8")
    built_in = Registry(family.family, family.base, family.what).names()
    undocumented = [name for name in built_in if not re.search(rf"\b{name}\b", text, re.IGNORECASE)]

    assert undocumented == []


def test_an_extra_exists_for_each_source_with_packages_of_its_own():
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    needing = [
        name
        for registry in (BUILT_IN.models, BUILT_IN.tasks)
        for name in registry.names()
        if registry.load(name).packages
    ]

    assert [name for name in needing if name not in extras] == []
