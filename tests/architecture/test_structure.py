"""The shape of the code, checked."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
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
FRAMEWORKS = ("torch", "timm", "transformers", "sentence_transformers", "sklearn", "scipy", "pyarrow", "PIL")


def test_a_file_is_one_idea_of_at_most_300_lines():
    assert [path for path, text in TEXTS.items() if len(text.splitlines()) > 300] == []


def test_a_module_says_what_it_is_in_its_first_line():
    assert [path for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_no_module_is_named_after_nothing():
    nothing = {"utils", "helpers", "common", "misc", "base", "manager"}

    assert [path for path in TEXTS if Path(path).stem in nothing] == []


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


@pytest.mark.parametrize("statement", ["import assay", "import assay.cli.main"])
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


def test_the_function_in_contributing_works_as_it_stands(tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (tmp_path / "my_score.py").write_text(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0])
    labels = np.arange(60) % 3
    features = np.random.default_rng(0).standard_normal((60, 8))

    BUILT_IN.add_file(tmp_path / "my_score.py")

    far, near = (assay.score(features + apart * labels[:, None], labels, "my_score") for apart in (9.0, 0.0))
    assert far > 0.9
    assert near < 0.3
    assert assay.score(features, labels, "my_score(power=2)") == pytest.approx(near**2)


def test_the_class_in_contributing_works_as_it_stands(tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[1]
    (tmp_path / "between_share.py").write_text(code)
    shown = (
        "import sys; sys.path.insert(0, sys.argv[1]); import numpy as np, between_share as b\n"
        "from assay.moments.folded import FoldedMoments\n"
        "from assay.moments.stream import moments_of, stratified_folds\n"
        "from assay.core.task import LabelKind, Labels\n"
        "from assay.plugins.registry import only_member; from assay.plugins.method import Score\n"
        "labels = Labels(LabelKind.CLASSIFICATION, np.repeat([0, 1], 20), ('a', 'b'))\n"
        "x = np.random.default_rng(0).normal(size=(40, 3)); folds = stratified_folds(labels, 5, 0)\n"
        "score = only_member(b, Score)()\n"
        "far = score(moments_of(x + 9.0 * labels.values[:, None], labels, folds))\n"
        "assert far > 0.9 > 0.3 > score(moments_of(x, labels, folds)), far"
    )

    subprocess.run([sys.executable, "-c", shown, str(tmp_path)], check=True)
