"""A study in shards, as a person plans, runs and merges it."""

from __future__ import annotations

import json
import shlex
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.actions.plan_shards import plan_shards
from assay.actions.slurm import Resources, slurm_script
from assay.core.errors import StoreError
from assay.run.manifest import _checksum
from assay.run.shard import ready_shard
from assay.run.study import Study
from assay.store.database import FileDatabase
from assay.store.results import open_existing

Assay = Callable[..., tuple[int, str, str]]
STUDY = """
models = ["zoo:colours", "zoo:headed", "zoo:blind"]
tasks = ["./photos", "./photos(metric='balanced_accuracy')"]
methods = ["knn", "ridge_cv", "logme"]
engine = "local"
"""
JOBS = 18  # of three models on two tasks by three methods


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders with a study of three models on two tasks: as written, planned in three shards, and run."""
    root = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(0)
    for colour, name in enumerate(("blue", "red")):
        (root / "written" / "photos" / name).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 120, size=(4, 4, 3))
            pixels[..., 2 - 2 * colour] += 60
            image = Image.fromarray(pixels.astype(np.uint8))
            image.save(root / "written" / "photos" / name / f"{number:02}.png")
    (root / "written" / "study.toml").write_text(STUDY)
    with pytest.MonkeyPatch.context() as patch:
        shutil.copytree(root / "written", root / "planned")
        patch.chdir(root / "planned")
        study, folder = Study.from_file("study.toml"), Path("study.assay.shards")
        plan_shards(study, study.plan(), 3, folder)
        shutil.copytree(root / "planned", root / "finished")
        patch.chdir(root / "finished")
        for number in (1, 2, 3):
            ready = ready_shard(study, f"{number}/3", folder)
            ready.study.run(ready=ready.plan)
    return root


def _in_copy_of(folder: Path, place: Path, assay: Assay) -> Assay:
    shutil.copytree(folder, place, dirs_exist_ok=True)
    return assay


@pytest.fixture
def study(assay: Assay, folders: Path, tmp_path: Path) -> Assay:
    """The command line in a folder with the study."""
    return _in_copy_of(folders / "written", tmp_path, assay)


@pytest.fixture
def planned(assay: Assay, folders: Path, tmp_path: Path) -> Assay:
    """The same, planned in three shards."""
    return _in_copy_of(folders / "planned", tmp_path, assay)


@pytest.fixture
def finished(assay: Assay, folders: Path, tmp_path: Path) -> Assay:
    """The same, with all shards finished."""
    return _in_copy_of(folders / "finished", tmp_path, assay)


def numbers(store: str) -> dict[str, object]:
    """Return what a store says of each job, without times."""
    opened = open_existing(Path(store))
    keys = opened.keys()
    predicted, held_out = opened.predictions(keys), opened.held_out(keys)
    return {
        result.job.key: (
            str(result.job),
            result.value,
            dict(result.metrics),
            result.interval,
            result.val_value,
            predicted[result.job.key].values.tolist() if result.job.key in predicted else None,
            held_out[result.job.key].predicted.values.tolist() if result.job.key in held_out else None,
        )
        for result in opened.results(keys)
    }


def files_by_shelf(store: str) -> list[int]:
    """Return how many files a store has in each folder that holds arrays of jobs."""
    return [len(list(Path(store, shelf).iterdir())) for shelf in ("predictions", "probs", "held_out")]


def content(store: str) -> dict[str, object]:
    """Return all rows and files of a store."""
    with sqlite3.connect(Path(store) / "results.sqlite") as connection:
        rows = {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 8").fetchall()
            if table in {"results", "latencies"}
            else connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
            for table in ("results", "models", "latencies", "tasks")
        }
    files = {str(path): path.read_bytes() for path in Path(store).rglob("*.[nj][ps][yoz]*")}
    return rows | files


def test_merged_shards_give_the_numbers_of_one_run(finished):
    finished("run", "study.toml", "--store", "whole.assay")

    code, out, _ = finished("merge", "study.assay")

    assert (code, "nothing is pending" in out) == (0, True)
    assert len(numbers("whole.assay")) == JOBS
    assert numbers("study.assay") == numbers("whole.assay")
    assert not (Path("study.assay") / "features").exists()
    assert all(1 <= files <= 3 for files in files_by_shelf("study.assay"))  # of three shards
    assert finished("verify", "study.assay")[0] == 0


def test_a_merge_is_idempotent_and_a_part_of_the_shards_leaves_the_rest_pending(finished):
    _, first, _ = finished("merge", "study.assay", "study.assay.shards/2")
    part = content("study.assay")
    again = finished("merge", "study.assay", "study.assay.shards/2")[1]
    unchanged = content("study.assay")
    finished("merge", "study.assay", "study.assay.shards/*")
    whole = content("study.assay")
    finished("merge", "study.assay", "study.assay.shards")

    assert "pending: " in first
    assert " 0 results merged" in again
    assert part == unchanged
    assert whole == content("study.assay")


def test_a_merge_that_is_interrupted_loses_nothing_and_completes(finished, monkeypatch):
    write_all = FileDatabase.write_all
    calls = []

    def interrupted(self: FileDatabase, changes: object) -> None:
        calls.append(changes)
        if len(calls) == 2:
            raise StoreError("the disk is full")
        write_all(self, changes)  # type: ignore[arg-type]

    monkeypatch.setattr(FileDatabase, "write_all", interrupted)
    code, _, err = finished("merge", "study.assay")
    monkeypatch.setattr(FileDatabase, "write_all", write_all)
    kept = len(numbers("study.assay"))

    assert (code, err) == (1, "assay: the disk is full\n")
    assert 0 < kept < JOBS
    assert finished("verify", "study.assay")[0] == 0
    assert finished("merge", "study.assay")[0] == 0
    assert len(numbers("study.assay")) == JOBS


def test_a_plan_skips_what_is_finished_and_keeps_models_together(finished):
    finished("merge", "study.assay")
    Path("study.toml").write_text(STUDY.replace('"zoo:blind"', '"zoo:blind", "zoo:noisy", "zoo:unsure"'))

    code, out, err = finished("plan", "study.toml", "--shards", "2")

    shards = json.loads(Path("study.assay.shards/plan.json").read_text())["plan"]["shards"]
    models = [{evaluation["model"] for evaluation in shard["evaluations"]} for shard in shards]
    assert code == 0
    assert "#SBATCH --array=1-2\n" in out
    assert "4 evaluations of 2 models in 2 shards" in err
    assert "predicted from" in err
    assert sorted(map(sorted, models)) == [["zoo:noisy"], ["zoo:unsure"]]


def test_nothing_left_needs_no_plan_and_a_search_cannot_have_one(finished):
    finished("merge", "study.assay")
    code, out, err = finished("plan", "study.toml", "--shards", "2")
    Path("search.toml").write_text(STUDY + 'budget = "2models"\n')
    refused, _, why = finished("plan", "search.toml", "--shards", "2")

    assert (code, out, "all results exist" in err) == (0, "", True)
    assert (refused, "is a search" in why) == (2, True)


def test_a_shard_continues_and_tries_again_what_a_run_would(finished, opened):
    code, out, err = finished("run", "study.toml", "--shard", "2/3")

    assert (code, opened) == (0, [])
    assert "Nothing to run" in err
    assert "Shard 2/3 finished" in out


def test_a_shard_with_a_failed_model_exits_with_1_and_its_reason_is_merged(study):
    Path("study.toml").write_text(
        'models = ["zoo:broken", "zoo:blind"]\ntasks = ["./photos"]\nmethods = ["knn"]\nengine = "local"\n'
    )
    study("plan", "study.toml", "--shards", "1")

    code, _, err = study("run", "study.toml", "--shard", "1/1")
    study("merge", "study.assay")

    assert (code, "1 model failed" in err) == (1, True)
    assert "its weights are missing" in study("report", "study.assay", "--details")[1]


def test_a_shard_refuses_other_data_and_names_what_differs(planned):
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save("photos/red/03.png")

    code, _, err = planned("run", "study.toml", "--shard", "1/3")

    assert code == 2
    assert "the data of" in err
    assert "1 new or changed ('red/03.png')" in err
    assert not Path("study.assay.shards/1").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plan: plan["versions"].update(numpy="0.1"), " instead of 0.1"),
        (lambda plan: plan["models"].update(dict.fromkeys(plan["models"], "another")), " instead of another"),
        (
            lambda plan: plan["shards"][0]["evaluations"][0].update(keys=["0"]),
            "other methods, seeds or settings",
        ),
    ],
)
def test_a_shard_refuses_other_versions_models_and_methods(planned, change, message):
    path = Path("study.assay.shards/plan.json")
    written = json.loads(path.read_text())
    change(written["plan"])
    path.write_text(json.dumps(written))
    edited = planned("run", "study.toml", "--shard", "1/3")
    path.write_text(json.dumps(written | {"checksum": _checksum(written["plan"])}))

    code, _, err = planned("run", "study.toml", "--shard", "1/3")

    assert (edited[0], "does not match its checksum" in edited[2]) == (2, True)
    assert (code, message in err) == (2, True)


def _changed(place: list[str | int], value: object) -> Callable[[dict], None]:
    def change(plan: dict) -> None:
        *path, last = place
        for part in path:
            plan = plan[part]
        plan[last] = value

    return change


def _foreign_model(name: str) -> Callable[[dict], None]:
    def change(plan: dict) -> None:
        evaluation = plan["shards"][0]["evaluations"][0]
        plan["models"][name] = plan["models"][evaluation["model"]]
        evaluation["model"] = name

    return change


def _foreign_task(plan: dict) -> None:
    plan["tasks"][0]["address"] = "table:/etc/passwd.csv"
    for shard in plan["shards"]:
        for evaluation in shard["evaluations"]:
            evaluation["task"] = "table:/etc/passwd.csv"


FIRST = ["shards", 0, "evaluations", 0]
OTHERS = [
    _changed(["tasks", 0, "address"], "table:/etc/passwd.csv"),
    lambda plan: plan["models"].clear(),
    _changed([*FIRST, "model"], 3),
    _changed([*FIRST, "task"], ["a"]),
    _changed([*FIRST, "keys"], [[1]]),
    _changed([*FIRST, "keys"], None),
    _changed(["shards", 0, "evaluations"], "x"),
    _changed(["shards", 0, "seconds"], "x"),
    _changed(["shards", 0, "seconds"], float("nan")),
    _changed(["versions"], [1]),
    _changed(["versions", "numpy"], 3),
    _changed(["models"], None),
    _changed(["tasks", 0, "counts"], {}),
    _changed(["tasks", 0, "counts", "train"], -1),
    _changed(["tasks", 0, "digests", "train"], "!!!"),
    _changed(["tasks", 0, "digests", "train"], "AAAA"),
    _changed(["tasks", 0, "extra"], 1),
]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_foreign_model("torch:evil:make"), "The plan names 'torch:evil:make', and the study does not"),
        (_foreign_model("zoo:*"), "The plan names 'zoo:*', and the study does not"),
        (_foreign_task, "The plan names 'table:/etc/passwd.csv', and the study does not"),
        *((change, "holds something else") for change in OTHERS),
    ],
)
def test_a_changed_plan_with_a_valid_checksum_is_refused(planned, tmp_path, change, message):
    file = tmp_path / "study.assay.shards" / "plan.json"
    plan = json.loads(file.read_text())["plan"]
    change(plan)
    file.write_text(json.dumps({"version": 1, "checksum": _checksum(plan), "plan": plan}))

    code, _, said = planned("run", "study.toml", "--shard", "1/3")

    assert code == 2
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1/2", "1", "a/b"])
def test_a_shard_that_is_not_in_the_plan_is_refused(planned, shard):
    code, _, err = planned("run", "study.toml", "--shard", shard)

    assert (code, "3/3" in err) == (2, True)


def test_a_shard_without_a_plan_says_how_to_write_one(study):
    code, _, err = study("run", "study.toml", "--shard", "1/3")

    assert (code, "assay plan study.toml --shards" in err) == (2, True)


def test_a_merge_refuses_other_data_and_other_versions_before_it_writes(finished):
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save("photos/red/03.png")
    finished("plan", "study.toml", "--shards", "1", "--store", "other.assay")
    before = content("study.assay")

    data = finished("merge", "study.assay", "study.assay.shards", "other.assay")
    shutil.copytree("study.assay.shards/1", "old.assay")
    path = Path("old.assay/planned/versions.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"numpy": "0.1"}))
    versions = finished("merge", "study.assay", "old.assay")

    assert (data[0], "other.assay' has other data of 'folder:./photos" in data[2]) == (1, True)
    assert (versions[0], "numpy 0.1 instead of" in versions[2]) == (1, True)
    assert content("study.assay") == before


def test_a_damaged_prediction_is_not_merged_and_comes_with_its_shard_run_again(finished):
    path = next(Path("study.assay.shards/1/predictions").iterdir())
    path.write_bytes(path.read_bytes()[:-40])
    code, out, _ = finished("merge", "study.assay")
    finished("run", "study.toml", "--shard", "1/3")

    again = finished("merge", "study.assay")

    assert (code, "not merged: knn of" in out) == (1, True)
    assert (again[0], "1 result merged" in again[1]) == (0, True)


def test_shards_that_are_not_merged_stop_the_next_plan(finished):
    code, _, err = finished("plan", "study.toml", "--shards", "2")

    assert (code, "assay merge study.assay" in err) == (2, True)


def test_a_value_is_not_replaced_by_a_failure_but_a_failure_is_by_a_value(finished):
    change = (
        "UPDATE results SET status = 'failed', value = NULL, reason = 'lost', finished = '2999' "
        "WHERE method = 'knn'"
    )
    finished("merge", "study.assay")
    whole = numbers("study.assay")
    for store in ("study.assay.shards/1", "study.assay"):
        with sqlite3.connect(f"{store}/results.sqlite") as connection:
            connection.execute(change if store.endswith("1") else change.replace("2999", "2000"))
        if store.endswith("1"):
            finished("merge", "study.assay")
            kept = numbers("study.assay")
    finished("merge", "study.assay", "study.assay.shards/2", "study.assay.shards/3")
    restored = sum(text[1] is not None for text in numbers("study.assay").values())

    assert kept == whole
    assert 12 < restored < JOBS


def test_the_script_gives_resources_and_quotes_what_it_is_given(study, monkeypatch):
    folder = Path("it's $HOME; a%b")
    folder.mkdir()
    shutil.copy("study.toml", folder / "study.toml")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")

    _, out, _ = study(
        *("plan", str(folder / "study.toml"), "--shards", "2", "--out", str(folder / "plan")),
        *("--gpus-per-job", "1", "--cpus-per-job", "8", "--memory-per-job", "32GB"),
    )

    lines = out.splitlines()
    assert {"#SBATCH --gpus=1", "#SBATCH --cpus-per-task=8", "#SBATCH --mem=30518M"} <= set(lines)
    assert lines[3].endswith(f"{shlex.quote(str(folder.absolute()).replace('%', '%%') + '/plan/%1a.log')}")
    words = shlex.split(lines[-1])
    assert words[2:] == [
        *("-m", "assay", "run", str(folder / "study.toml"), "--plan", str(folder / "plan")),
        *("--shard", "$SLURM_ARRAY_TASK_ID/2"),
    ]
    assert "secret" not in out


def test_the_script_asks_for_four_times_the_predicted_time_once_there_is_one():
    def script(resources: Resources) -> list[str]:
        return slurm_script(Path("study.toml"), 3, Path("plan"), resources).splitlines()

    assert "#SBATCH --time=6:00:00" in script(Resources(seconds=5000))
    assert "#SBATCH --time=1:00:00" in script(Resources(seconds=1))
    assert not [line for line in script(Resources()) if "--time" in line]


def test_a_path_that_would_end_a_line_of_the_script_is_refused(study):
    code, out, err = study("plan", "study.toml", "--shards", "2", "--out", "a\nrm -rf b")

    assert (code, out, "no script can hold" in err) == (2, "", True)
