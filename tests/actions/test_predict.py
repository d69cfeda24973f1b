"""Saved models of every kind of task predict in a fresh process what the study predicted, and run no code."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from PIL import Image

import assay
from assay.actions.save import ModelToSave, save
from assay.cli.main import main
from assay.core.errors import ModelError, UsageError
from assay.core.predictor import Predicted
from assay.core.task import TaskKind, Words
from assay.plugins.protocol import Protocol
from assay.plugins.registry import Named
from assay.run.plan import resolve_methods, resolve_models, resolve_tasks
from assay.store.results import open_existing

soundfile = pytest.importorskip("soundfile")

HOSTILE = 'pics""";import os;os.system("touch X");"""'
TEXTS = "vectors:words.txt"
MODELS = {
    "text": TEXTS, "pairs": TEXTS, "tokens": TEXTS, "several": TEXTS, "numbers": TEXTS,
    "images": "timm:test_resnet(pretrained=False, image_size=32)",
    "listed": "timm:test_resnet(pretrained=False)",
    "sounds": "hf:./waves",
}  # fmt: skip
TASKS = {
    "text": "table:text.csv", "pairs": "table:pairs.csv(text='sentence1', text2='sentence2')",
    "tokens": "table:tokens.jsonl", "several": "table:several.csv(label_separator='|')",
    "numbers": "table:numbers.csv(label=('warm', 'wet'), kind='regression')", "images": "folder:photos",
    "listed": "table:listed.csv(image='file', label='label')", "sounds": "audio:tones",
}  # fmt: skip
METHODS = {
    "text": "linear_probe", "pairs": "nearest_mean", "tokens": "linear_probe", "several": "linear_probe",
    "numbers": "ridge", "images": "linear_probe", "listed": "knn", "sounds": "linear_probe",
}  # fmt: skip
WORDS = [f"word{number}" for number in range(12)]


def rows_of(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def inputs(folder: Path) -> None:
    """Write small tasks of every kind, and the models that read them."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(WORDS), 8))
    lines = [f"{word} {' '.join(f'{x:.4f}' for x in row)}" for word, row in zip(WORDS, vectors, strict=True)]
    (folder / "words.txt").write_text("\n".join(lines))
    picked = [rng.choice(12, 4, replace=False) for _ in range(60)]
    texts = [" ".join(WORDS[one] for one in row) for row in picked]
    first = [int(row[0] < 6) for row in picked]
    rows_of(
        folder / "text.csv",
        ["review", "label"],
        [[t, ("bad\n", "good")[y]] for t, y in zip(texts, first, strict=True)],
    )
    pairs = [[text, texts[number - 1], first[number]] for number, text in enumerate(texts)]
    rows_of(folder / "pairs.csv", ["sentence1", "sentence2", "label"], pairs)
    sets = [["low|even", "low", "even", "none"][2 * (row[0] > 5) + row[1] % 2] for row in picked]
    rows_of(folder / "several.csv", ["text", "label"], [list(row) for row in zip(texts, sets, strict=True)])
    numbers = [[text, row[0] / 3, row[1] / 7] for text, row in zip(texts, picked, strict=True)]
    rows_of(folder / "numbers.csv", ["text", "warm", "wet"], numbers)
    tagged = [
        json.dumps({"words": text.split(), "tags": ["AB"[int(one > 5)] for one in row]})
        for text, row in zip(texts, picked, strict=True)
    ]
    (folder / "tokens.jsonl").write_text("\n".join(tagged))
    for label, grey in ((HOSTILE, 200), ("=cmd|' C calc'!A0", 30)):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(10):
            pixels = np.clip(rng.normal(grey, 20, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{number}.png")
    wide = [[f"wide/{number}.png", ("dark", "light")[number % 2]] for number in range(20)]
    (folder / "wide").mkdir()
    for number in range(20):
        values = rng.integers(0, 4095, (16, 16)) // (1 if number % 2 else 4)
        Image.fromarray(values.astype(np.uint16)).save(folder / "wide" / f"{number}.png")
    rows_of(folder / "listed.csv", ["file", "label"], wide)
    for label, pitch in (("high", 1500), ("low", 200)):
        (folder / "tones" / label).mkdir(parents=True)
        for number in range(10):
            wave = np.sin(np.arange(2000) * pitch / 1273) + rng.normal(0, 0.05, 2000)
            soundfile.write(folder / "tones" / label / f"{number}.wav", wave / 2, 16_000)


@dataclass
class SavedStudy:
    """Saved models, what to predict for each, and what the study predicted."""

    folder: Path
    asked: dict[str, list[str]]
    kept: dict[str, Predicted]
    answers: dict[str, list[dict]]


def asked_for(kind: str, folder: Path) -> list[str]:
    """Return the test examples as a person has them: files, or a table."""
    task = resolve_tasks([TASKS[kind]], 0)[0]
    test = [task.test.examples.read(row) for row in range(len(task.test))]
    names = [task.test.examples.name(row) for row in range(len(task.test))]
    new = folder / f"new-{kind}.csv"
    if kind in {"images", "sounds"}:
        return [str(folder / TASKS[kind].partition(":")[2] / name) for name in names]
    if kind == "listed":
        rows_of(new, ["file"], [[name] for name in names])
    elif kind == "tokens":
        rows_of(new, ["words"], [[" ".join(example.words)] for example in test if isinstance(example, Words)])
    else:
        cells = [list(example) if isinstance(example, tuple) else [example] for example in test]
        rows_of(new, list(task.inputs), cells)
    return [str(new)]


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> SavedStudy:
    """Save a model of every kind, and let one fresh process in another folder predict with all."""
    from tests.audio_models import saved_audio_model

    folder, elsewhere = tmp_path_factory.mktemp("study"), tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        inputs(folder)
        saved_audio_model(folder / "waves", "wav2vec2")
        asked, kept = {}, {}
        for kind, model in MODELS.items():
            named = resolve_methods([METHODS[kind]])[0]
            store = folder / f"store-{kind}"
            assay.Study(
                models=[model],
                tasks=[TASKS[kind]],
                methods=[METHODS[kind]],
                store=store,
                seeds=1,
                device="cpu",
            ).run()
            assert isinstance(named.plugin, Protocol)
            method = Named(named.address, named.plugin)
            what = ModelToSave(resolve_models([model])[0], resolve_tasks([TASKS[kind]], 0)[0], method)
            result = save(open_existing(store), what, folder / "saved" / kind, "cpu")
            asked[kind] = asked_for(kind, folder)
            kept[kind] = open_existing(store).predictions([result.job.key])[result.job.key]
    (folder / "saved").rename(elsewhere / "saved")  # nothing that was saved needs the folder of the study
    for name in ("words.txt", "waves"):
        (folder / name).rename(folder / f"{name}.moved")
    saved = elsewhere / "saved"
    runs = {
        kind: [str(saved / kind / "predict.py"), *asked[kind], "--out", str(saved / f"{kind}.jsonl"),
               "--device", "cpu", *(["--probabilities"] if METHODS[kind] == "linear_probe" else [])]
        for kind in MODELS
    }  # fmt: skip
    script = (
        "import json, runpy, sys\n"
        "for kind, argv in json.loads(sys.argv[1]).items():\n"
        "    sys.argv = list(argv)\n"
        "    try:\n        runpy.run_path(argv[0], run_name='__main__')\n"
        "    except SystemExit as stop:\n        assert not stop.code, (kind, stop.code)\n"
    )
    command = [sys.executable, "-c", script, json.dumps(runs)]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = {
        kind: [json.loads(line) for line in (saved / f"{kind}.jsonl").read_text().splitlines()]
        for kind in MODELS
    }
    return SavedStudy(saved, asked, kept, answers)


@pytest.mark.parametrize("kind", MODELS)
def test_a_fresh_process_predicts_what_the_study_predicted(study, kind):
    with assay.load(study.folder / kind, "cpu") as saved:
        classes, task_kind = np.array(saved.classes), saved.settings.kind
    kept, answers = study.kept[kind], study.answers[kind]

    found = [answer["prediction"] for answer in answers]
    if task_kind is TaskKind.REGRESSION:
        np.testing.assert_allclose(found, kept.values, atol=1e-5)
    elif task_kind is TaskKind.MULTILABEL:
        assert found == [classes[row.astype(bool)].tolist() for row in kept.values]
    elif task_kind is TaskKind.TOKENS:
        assert [tag for tags in found for tag in tags] == classes[kept.values].tolist()
    else:
        assert found == classes[kept.values].tolist()
    if METHODS[kind] == "linear_probe" and task_kind is not TaskKind.TOKENS:
        probs = [[answer["probabilities"][name] for name in classes] for answer in answers]
        np.testing.assert_allclose(probs, kept.probs, atol=1e-4)


def test_files_next_to_the_weights_are_the_same_for_every_model_and_readable(study):
    scripts = {(study.folder / kind / "predict.py").read_text() for kind in MODELS}
    modes = {path.stat().st_mode & 0o777 for path in (study.folder / "text").iterdir() if path.is_file()}
    needed = (study.folder / "images" / "requirements.txt").read_text().splitlines()

    assert len(scripts) == 1
    assert len(modes) == 1
    assert all("==" in line and "/" not in line and "+" not in line for line in needed)
    assert {"model-assay", "timm", "torch"} <= {line.partition("==")[0] for line in needed}
    assert not (study.folder / "X").exists()
    assert json.dumps(TASKS["images"]) in (study.folder / "images" / "README.md").read_text()


@pytest.mark.parametrize("kind", ["text", "pairs", "several", "numbers"])
def test_the_readme_shows_metrics_and_python_that_are_right_for_the_kind(study, kind):
    readme = (study.folder / kind / "README.md").read_text()
    with Path(study.asked[kind][0]).open(newline="") as file:
        rows = [row if kind == "pairs" else row[0] for row in list(csv.reader(file))[1:]]
    code = dedent(readme.partition("In Python:\n")[2].partition("\n`assay.json`")[0])
    names: dict[str, object] = {"examples": [tuple(row) if kind == "pairs" else row for row in rows]}

    exec(code.replace("this-folder", str(study.folder / kind)), names)

    found = [answer["prediction"] for answer in study.answers[kind]]
    if kind == "numbers":
        np.testing.assert_allclose(names["answers"], found, atol=1e-5)
    else:
        assert names["answers"] == found
    assert ("--text2" in readme) == (kind == "pairs")
    metrics = json.loads(re.search('"metrics on test": (.*)', readme)[1])
    assert all(
        metrics[name] > 0 for name in {"log_loss", "calibration_error", "mae", "rmse"} & metrics.keys()
    )


def predict(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["assay", "predict", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    shown = capsys.readouterr()
    return int(stop.value.code or 0), shown.out, shown.err


def test_one_bad_file_is_one_bad_row_and_folders_are_read(study, tmp_path, monkeypatch, capsys):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (20, 20), "black").save(tmp_path / "in" / "b.png")
    (tmp_path / "in" / "a.png").write_bytes(b"no picture")
    (tmp_path / "in" / "c.png").symlink_to("/etc/hostname")
    (tmp_path / "in" / "notes.txt").write_text("left alone")
    saved, given = str(study.folder / "images"), str(tmp_path / "in")

    code, out, err = predict(monkeypatch, capsys, saved, given, "none.png", "--device", "cpu")

    rows = list(csv.reader(out.splitlines()))
    assert rows[1:] == [
        [f"{given}/a.png", "", "", "not an image"],
        [f"{given}/b.png", "", "'=cmd|' C calc'!A0", ""],
        [f"{given}/c.png", "", "", "a link that leaves the folder"],
        ["none.png", "", "", "There is no file 'none.png'."],
    ]
    assert code == 1
    assert "3 of 4 rows have an error" in err


def test_texts_are_only_what_the_user_calls_so(study, tmp_path, monkeypatch, capsys):
    saved = str(study.folder / "text")
    rows_of(tmp_path / "new.csv", ["id", "review"], [[1, "word1 word2"], [2, ""], [3, "word7"]])
    rows_of(tmp_path / "other.csv", ["id", "body"], [[1, "word1"]])
    monkeypatch.chdir(tmp_path)

    code, out, _ = predict(monkeypatch, capsys, saved, "new.csv", "other.csv", "word1 word2", "--jsonl")
    said, again, _ = predict(monkeypatch, capsys, saved, "--text", "word1 word2", "--jsonl")
    helped, shown, _ = predict(monkeypatch, capsys, saved, "--help")

    first, empty, last, other, missing = map(json.loads, out.splitlines())
    assert (first["row"], empty["error"], last["row"]) == (1, "'review' is empty", 3)
    assert "no column 'review' (it has id, body)" in other["error"]
    assert "--text 'word1 word2'" in missing["error"]
    assert json.loads(again)["prediction"] == first["prediction"]
    assert (code, said, helped) == (1, 0, 0)
    assert "--probabilities" in shown


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("text", (), "nothing to predict"),
        ("images", ("--text", "a"), "reads image files, not texts"),
        ("pairs", ("--text", "a"), "one --text2 for each --text"),
        ("text", ("--text", "a", "--text2", "b"), "no --text2"),
        ("listed", ("x.png", "--probabilities"), "gives no probabilities"),
        ("pairs", ("x.csv", "--column", "a"), "reads 2 columns"),
        ("text", ("x.csv", "--out", "none/there/../x\0.csv"), ""),
    ],
)
def test_a_wrong_request_is_one_line(study, monkeypatch, capsys, kind, arguments, message):
    code, out, err = predict(monkeypatch, capsys, str(study.folder / kind), *arguments, "--device", "cpu")

    assert (code, out) == (2, "")
    assert message in err


def changed(study: SavedStudy, saved: str, folder: Path, /, **settings: object) -> Path:
    """Return a copy of a saved folder with other settings."""
    import shutil

    shutil.copytree(study.folder / saved, folder / "copy")
    path = folder / "copy" / "assay.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    return folder / "copy"


@pytest.mark.parametrize(
    "model", ["torch:os:system(arguments=('touch ran',))", "torch:./net.pt", "tensorflow:./net"]
)
def test_code_that_a_folder_names_runs_only_if_the_caller_names_it(study, tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    copy = changed(study, "images", tmp_path, model=model, files={})

    with pytest.raises(UsageError, match="nothing has run.*allow_code="), assay.load(copy, "cpu"):
        pass
    assert not (tmp_path / "ran").exists()


def test_a_module_of_the_user_runs_where_it_is_allowed(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_only.py").write_text("import os\ndef build():\n    os.mkdir('ran')\n")
    copy = changed(study, "images", tmp_path, model="torch:mine_only:build", files={})

    with (
        pytest.raises(ModelError, match="returned a NoneType"),
        assay.load(copy, "cpu", allow_code="mine_only"),
    ):
        pass
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"files": {"name": "../../words.txt"}}, "has no ../../words.txt|leads out"),
        ({"files": {"name": "/etc/hostname"}}, "leads out of the saved folder"),
        ({"present": [0, 7]}, "'present' does not number"),
        ({"present": [0, "1"]}, "'present' is '1'"),
        ({"classes": "ab"}, "'classes' is 'ab'"),
        ({"shape": [10**12]}, "no class to predict"),
        (
            {"kind": "regression", "classes": [], "present": [], "shape": [10**12]},
            "no 1,000,000,000,000 outputs",
        ),
        ({"model": 7}, "'model' is '7'"),
        ({"metrics": {"accuracy": float("nan")}}, "'metrics' is 'nan'"),
        ({"method": "own_head"}, "trains nothing"),
        ({"method": "mine"}, "allow_code="),
        ({"classes": ["a", "b", "c"], "present": [0, 1, 2]}, "does not fit"),
        ({"fingerprint": "0"}, "other weights now"),
        ({"weights": "0"}, "has changed since it was saved"),
    ],
)
def test_damaged_or_hostile_settings_are_refused(study, tmp_path, settings, message):
    copy = changed(study, "text", tmp_path, **settings)

    with pytest.raises((UsageError, ModelError), match=message), assay.load(copy, "cpu"):
        pass


def test_numbers_have_no_probabilities_where_the_method_has_them_for_classes(
    study, tmp_path, monkeypatch, capsys
):
    copy = changed(study, "numbers", tmp_path, are_logits=True)  # as fine_tune and sgd write it

    code, out, err = predict(monkeypatch, capsys, str(copy), "--text", "word1", "--probabilities")

    assert (code, out) == (2, "")
    assert "gives no probabilities for regression" in err


def test_a_folder_of_an_earlier_version_says_that_its_weights_are_not_checked(study, tmp_path):
    copy = changed(study, "text", tmp_path, identity="", fingerprint="", weights="")

    with assay.load(copy, "cpu") as saved, assay.load(study.folder / "text", "cpu") as today:
        assert [note.partition(":")[0] for note in saved.notes] == [
            "The model was saved by an earlier version of Assay, without hashes of its weights"
        ]
        assert today.notes == ()


def test_weights_that_are_a_link_or_declare_too_much_are_refused(study, tmp_path):
    copy = changed(study, "text", tmp_path, weights="")
    weights = copy / "weights.safetensors"
    header = json.dumps(
        {"weights": {"dtype": "F64", "shape": [1 << 40], "data_offsets": [0, 1 << 43]}}
    ).encode()
    weights.write_bytes(len(header).to_bytes(8, "little") + header)

    with pytest.raises(UsageError, match="is damaged"), assay.load(copy, "cpu"):
        pass
    weights.unlink()
    weights.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="leads out of the saved folder"), assay.load(copy, "cpu"):
        pass
