from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.tasks.glue_files import write_glue

from assay.core.errors import UnknownName, UsageError
from assay.plugins.address import Address
from assay.plugins.families import BUILT_IN
from assay.plugins.suite import load_suite, suite_names, tasks_of
from assay.run.plan import resolve_tasks
from assay.run.study import Study


@pytest.mark.parametrize("name", suite_names())
def test_each_task_of_a_suite_can_be_named(name: str) -> None:
    suite = load_suite(name)

    made = [BUILT_IN.tasks.create_from_source(task).plugin for task in suite.tasks]

    assert len(made) == len({str(task) for task in suite.tasks}) > 1
    assert suite.reference.startswith("https://")


def test_a_suite_hands_its_settings_to_each_task() -> None:
    tasks = tasks_of(Address.parse("suite:glue(folder='./glue', val=0.2)"))

    assert str(tasks[0]) == "glue:cola(folder='./glue', val=0.2)"
    assert len(tasks) == 10


def test_a_suite_of_your_own_is_a_file(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f"tasks = ['{photos}', 'sklearn:digits(limit=100)']")

    tasks = resolve_tasks([f"suite:{tmp_path / 'mine.toml'}"], 0)

    assert [task.address for task in tasks] == [f"folder:{photos}", "sklearn:digits(limit=100)"]


@pytest.mark.parametrize("written", ["", "tasks = []", "tasks = 'one'", "tasks = [1]", "tasks = [[]]"])
def test_a_file_without_tasks_is_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "mine.toml").write_text(written)

    with pytest.raises(UsageError, match=r"names no tasks\. Write for example tasks = "):
        load_suite(str(tmp_path / "mine.toml"))


def test_an_unknown_suite_says_which_there_are() -> None:
    with pytest.raises(UnknownName, match="No suite called 'gleu'. Did you mean: glue"):
        resolve_tasks(["suite:gleu"], 0)
    with pytest.raises(UsageError, match="Cannot read the suite 'there.toml': No such file"):
        load_suite("there.toml")


def test_the_glue_average_counts_mnli_once(tmp_path: Path) -> None:
    write_glue(tmp_path)
    rng = np.random.default_rng(0)
    words = ("a", "the", "it", "is", "no", "not", "yes", "plane", "claim", "who", "was", "fact")
    for name in ("one", "two"):
        rows = [f"{word} {' '.join(f'{number:.3f}' for number in rng.normal(size=8))}" for word in words]
        (tmp_path / f"{name}.txt").write_text("\n".join(rows))

    found = Study(
        models=[f"vectors:{tmp_path / name}.txt" for name in ("one", "two")],
        tasks=[f"suite:glue(folder='{tmp_path}')"],
        methods=["knn"],
        control=False,
        store=tmp_path / "store",
    ).run()

    (average,) = found.averages
    values = {
        Address.parse(one.task.address).name: {row.model: row.value for row in one.standings}
        for one in found.tasks
    }
    model, value = average.values[0]
    matched, mismatched = (values.pop(name)[model] for name in ("mnli_matched", "mnli_mismatched"))
    others = [of_task[model] for of_task in values.values()]
    assert (average.suite, average.tasks, len(average.values)) == ("glue", 9, 2)
    assert value == pytest.approx((sum(others) + (matched + mismatched) / 2) / 9)
    assert average.values[0][1] >= average.values[1][1]
