"""The command line as a person uses it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from assay.core.errors import AssayError

QUICK = ("--method", "knn", "--method", "logme")


def test_rank_answers_with_a_model_and_a_report(assay, photos, tmp_path):
    code, out, err = assay("rank", str(photos), "--model", "zoo:colours", "-m", "zoo:blind", *QUICK)

    assert code == 0
    assert "\nRecommended: colours (knn), accuracy " in out
    assert "Report: assay-store/report.html" in err
    assert "<html" in (tmp_path / "assay-store" / "report.html").read_text()


@pytest.mark.parametrize("methods", [QUICK, ("--method", "ridge_cv"), ("--method", "logme", "--seed", "3")])
def test_the_next_commands_of_the_screen_work_as_they_are_written(assay, photos, methods):
    models = ("-m", "zoo:colours", "-m", "zoo:noisy")
    _, out, _ = assay("rank", str(photos), *models, *methods, "--store", "a store")
    pasted = out[out.index("Next:") + 5 :].replace("\\\n", "")
    commands = [shlex.split(line) for line in pasted.splitlines()]
    ours = [command[1:] for command in commands if command[0] == "assay"]

    assert [assay(*command)[0] for command in ours] == [0] * len(ours)
    assert {command[0] for command in ours} == ({"compare", "save"} if "knn" in methods else {"rank"})


def test_the_screen_says_nothing_but_the_answer_on_standard_output(assay, photos):
    _, out, err = assay("rank", str(photos), "-m", "zoo:colours", *QUICK)
    again = assay("report", "assay-store")[1]

    assert out == again
    assert out.startswith("photos: 90 images in 3 classes; test 18, random split (seed 0)\n")
    assert len(out.splitlines()) <= 24
    assert "colours" in err


def test_a_failed_model_makes_the_exit_code_1_and_its_reason_is_printed(assay, photos):
    code, out, _ = assay("rank", str(photos), "-m", "zoo:colours", "-m", "zoo:broken", *QUICK)

    assert code == 1
    assert "1 model failed: broken (" in " ".join(out.split())
    assert "its weights are missing" in assay("report", "assay-store", "--details")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rank", "nowhere", "-m", "zoo:colours"), "there is no such folder"),
        (("rank", ".", "-m", "zoo:color"), "Did you mean: colours"),
        (("rank", ".", "-m", "zoo:colours", "--method", "logm"), "Did you mean: logme"),
        (("rank", ".", "-m", "zoo:colours", "--device", "gpu"), "Write cpu, cuda, mps or auto"),
        (("run", "nothing.toml"), "Cannot read the study 'nothing.toml'"),
        (("report", "nowhere"), "There is no store in 'nowhere'"),
        (("export", "nowhere", "x.xyz"), "No format of a report called '.xyz'"),
        (("list", "modles"), "Did you mean: models"),
        (("list", "zoo:x*"), "No model of 'zoo' called 'x*'"),
        (("list", "history"), "Families: models, tasks, scores, protocols, metrics, suites;"),
        (("rank", "study.txt", "-m", "zoo:colours"), "there is no such folder"),
        (("check", "zoo:colour"), "Did you mean: colours"),
    ],
)
def test_a_wrong_request_is_one_line_that_says_what_to_write(assay, photos, arguments, message):
    arguments = tuple(str(photos) if argument == "." else argument for argument in arguments)

    code, _, err = assay(*arguments)

    assert code in {1, 2}
    assert message in err
    assert "Traceback" not in err


def test_estimates_train_nothing(assay, photos):
    code, out, _ = assay("rank", str(photos), "-m", "zoo:colours", "-m", "zoo:noisy", "--estimate")

    assert code == 0
    assert "estimate" in out
    assert "linear_probe" not in out


def test_estimating_and_training_at_once_is_refused(assay, photos):
    code, _, err = assay("rank", str(photos), "-m", "zoo:colours", "--method", "knn", "--estimate")

    assert code == 2
    assert "--estimate trains nothing; 'knn' trains" in err


@pytest.mark.parametrize("arguments", [("rank", "-m", "zoo:colours", "--html"), ("export",)])
def test_a_file_that_cannot_be_written_is_reported(assay, photos, tmp_path, arguments):
    assay("rank", str(photos), "-m", "zoo:colours", *QUICK)
    (tmp_path / "file").write_text("in the way")
    path = str(tmp_path / "file" / "out.json")
    rest = (path, str(photos)) if arguments[0] == "rank" else ("assay-store", path)

    code, _, err = assay(*arguments, *rest)

    assert code == 2
    assert f"Cannot write '{path}'" in err


def test_a_report_makes_the_folders_above_it(assay, photos, tmp_path):
    assert assay("rank", str(photos), "-m", "zoo:colours", *QUICK, "--html", "new/folder/r.html")[0] == 0
    assert (tmp_path / "new" / "folder" / "r.html").is_file()


def test_a_second_run_says_that_there_is_nothing_to_do(assay, photos):
    assay("rank", str(photos), "-m", "zoo:colours", *QUICK)

    assert "Nothing to run" in assay("rank", str(photos), "-m", "zoo:colours", *QUICK)[2]


def test_a_store_is_reported_and_exported(assay, photos, tmp_path):
    assay("rank", str(photos), "-m", "zoo:colours", "-m", "zoo:noisy", *QUICK)

    assert "noisy" in assay("report", "assay-store", "--method", "knn")[1]
    assert assay("export", "assay-store", "out.json")[0] == 0
    assert assay("export", "assay-store", "out.parquet")[0] == 0
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == 5
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 4


def test_a_running_study_is_followed_until_ctrl_c(assay, photos, tmp_path):
    assay("rank", str(photos), "-m", "zoo:colours", *QUICK)
    page = tmp_path / "watched.html"
    command = [sys.executable, "-m", "assay", "report", "assay-store", "--watch", "--html", str(page)]
    command += ["--max-parameters", "35"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as watching:
        try:
            assert "1 model finished" in watching.stdout.readline()
            assert "data-refresh-seconds" in page.read_text()
            assay("rank", str(photos), "-m", "zoo:noisy", *QUICK)
            assert "2 models finished" in watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            assert watching.wait(timeout=60) == 0
        finally:
            watching.kill()

    assert "zoo:noisy" in page.read_text()
    assert "left out: more than 35 parameters" in page.read_text()
    assert "data-refresh-seconds" not in page.read_text()  # it stays as it is


def test_run_reads_a_file_and_continues(assay, photos, opened, tmp_path):
    (tmp_path / "study.toml").write_text(
        f'models = ["zoo:colours"]\ntasks = ["{photos}"]\nmethods = ["knn"]\n'
    )

    assert assay("run", "study.toml")[0] == 0
    opened.clear()
    assert assay("run", "study.toml")[0] == 0
    assert opened == []


def test_list_shows_every_family_with_a_line_each(assay):
    _, out, _ = assay("list")

    assert re.search(r"^scores:\n(  \w+ +\S.*\n)*  logme +\S", out, re.MULTILINE)
    assert "timm" in out


def test_list_shows_the_models_of_a_source(assay):
    assert assay("list", "zoo:b*")[1] == "zoo:blind\nzoo:broken\n"


def test_check_proves_a_model(assay):
    code, out, _ = assay("check", "zoo:headed")

    assert code == 0
    assert "the same features in batches of 1 and 32" in out
    assert "4 classes" in out


@pytest.mark.parametrize(
    ("model", "message"), [("blind", "does not look at its input"), ("nan", "not finite")]
)
def test_check_finds_what_is_wrong(assay, model, message):
    code, out, _ = assay("check", f"zoo:{model}")

    assert code == 1
    assert message in out


def test_stopping_says_how_to_continue(assay, photos, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("assay.run.study.Evaluator.__call__", stop)

    code, _, err = assay("rank", str(photos), "-m", "zoo:colours", *QUICK)

    assert code == 130
    assert "the same command continues" in err


def test_an_error_of_assay_is_never_a_traceback(assay, photos, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise AssayError("it is so")

    monkeypatch.setattr("assay.run.study.Evaluator.__call__", fail)

    code, _, err = assay("rank", str(photos), "-m", "zoo:colours", *QUICK)

    assert code == 1
    assert err.endswith("\nassay: it is so\n")


def test_every_command_that_ranks_knows_the_limits(assay, photos, tmp_path):
    models = ("-m", "zoo:colours", "-m", "zoo:noisy(width=40)")
    limit = ("--max-parameters", "100")
    ranked = assay("rank", str(photos), *models, *QUICK, *limit, "--details")[1]
    reported = assay("report", "assay-store", *limit, "--details")[1]
    assay("export", "assay-store", "out.json", *limit)
    report = json.loads((tmp_path / "out.json").read_text())

    assert all("left out: more than 100 parameters" in out for out in (ranked, reported))
    assert [standing["model"] for standing in report["tasks"][0]["standings"]] == ["zoo:colours"]


def test_a_study_file_is_fetched_whole(assay, photos, tmp_path):
    (tmp_path / "study.toml").write_text(f'models = ["zoo:colours", "zoo:broken"]\ntasks = ["{photos}"]')

    code, out, _ = assay("fetch", "study.toml")

    assert code == 1
    assert "zoo:colours\n  from           drawn\n" in out
    assert "zoo:broken\n  missing        its weights are missing" in out
    assert f"folder:{photos}\n" in out
    assert "downloaded     nothing: it is cached already" in out


def test_offline_nothing_is_downloaded_and_missing_downloads_are_named(tmp_path):
    command = [sys.executable, "-m", "assay", "check", "torchvision:squeezenet1_1", "--offline"]
    environment = {**os.environ, "TORCH_HOME": str(tmp_path)}

    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)

    assert ended.returncode == 1
    assert "no network is used" in ended.stdout
    assert "'assay fetch torchvision:squeezenet1_1'" in ended.stdout
