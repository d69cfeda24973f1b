from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.core.task import Modality, TaskKind, Words
from assay.testing.tasks import load_task

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def _a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0, raising=False)  # 5 s a split
    datasets.disable_progress_bars()


def write(folder: Path, **splits: datasets.Dataset) -> Path:
    """Write splits as Parquet files, named as the hub names them."""
    for name, split in splits.items():
        (folder / "data").mkdir(parents=True, exist_ok=True)
        split.to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
    return folder


def texts(start: int, count: int, *, hidden: bool = False) -> datasets.Dataset:
    rows = range(start, start + count)
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}
    )
    labels = [-1 if hidden else row % 2 for row in rows]
    return datasets.Dataset.from_dict({"text": [f"text {row}" for row in rows], "label": labels}, features)


def picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def images(start: int, count: int) -> datasets.Dataset:
    features = datasets.Features(
        {
            "img": datasets.Image(),
            "fine": datasets.ClassLabel(names=["bee", "ant"]),
            "note": datasets.Value("string"),
        }
    )
    rows = range(start, start + count)
    columns = {
        "img": [{"bytes": picture(row), "path": None} for row in rows],
        "fine": [row % 2 for row in rows],
        "note": [f"note {row}" for row in rows],
    }
    return datasets.Dataset.from_dict(columns, features)


def test_official_splits_and_names_of_classes_are_kept(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", train=texts(0, 20), validation=texts(100, 6), test=texts(200, 8))

    task = load_task(f"hub:{folder}")

    assert (task.kind, task.classes) == (TaskKind.CLASSIFICATION, ("neg", "pos"))
    assert [len(task.train), len(task.val), len(task.test)] == [20, 6, 8]
    assert task.notes[0] == "The examples are in 'text', the labels in 'label'."
    assert task.test.examples.name(0).startswith("test row ")


def test_texts_that_mark_a_missing_one_are_left_out(tmp_path: Path) -> None:
    missing = texts(50, 2).map(lambda _: {"text": "nan"})
    folder = write(tmp_path / "set", train=datasets.concatenate_datasets([texts(0, 20), missing]))

    task = load_task(f"hub:{folder}(missing='nan')")

    assert len(task.train) + len(task.val) + len(task.test) == 20
    assert any(note.startswith("2 of 22 rows have no text in 'text'") for note in task.notes)


def test_a_split_whose_labels_are_hidden_is_left_out(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "set", train=texts(0, 20), validation=texts(100, 6), test=texts(200, 8, hidden=True)
    )

    task = load_task(f"hub:{folder}")

    assert len(task.test) == 6
    assert "'test' has no labels and is left out." in task.notes


def test_images_are_read_as_they_are_stored(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", train=images(0, 30))

    task = load_task(f"hub:{folder}(label='fine')")

    assert (task.modality, task.classes) == (Modality.IMAGE, ("ant", "bee"))
    assert [len(task.train), len(task.val), len(task.test)] == [18, 6, 6]
    number = int(task.test.examples.name(0).removeprefix("row ")) - 1
    np.testing.assert_array_equal(
        task.test.examples.read(0), np.asarray(Image.open(io.BytesIO(picture(number))))
    )
    assert task.classes[task.test.labels.values[0]] == ["bee", "ant"][number % 2]


def sound(seed: int) -> bytes:
    soundfile = pytest.importorskip("soundfile")
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(seed).uniform(-0.5, 0.5, 400), 8000, format="FLAC")
    return buffer.getvalue()


def test_sounds_are_read_as_they_are_stored(tmp_path: Path) -> None:
    features = datasets.Features(
        {
            "audio": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")},
            "label": datasets.ClassLabel(names=["no", "yes"]),
            "transcript": datasets.Value("string"),
        }
    )
    rows = {
        "audio": [{"bytes": sound(number), "path": None} for number in range(30)],
        "label": [number % 2 for number in range(30)],
        "transcript": ["a few words"] * 30,
    }
    rows["audio"][7] = {"bytes": b"broken", "path": None}
    split = datasets.Dataset.from_dict(rows, features).cast_column("audio", datasets.Audio(decode=False))
    folder = write(tmp_path, train=split)

    task = load_task(f"hub:{folder}")

    example, number = task.test.examples.read(0), int(task.test.examples.name(0).removeprefix("row ")) - 1
    assert (task.modality, task.classes) == (Modality.AUDIO, ("no", "yes"))
    assert task.notes[0] == "The examples are in 'audio', the labels in 'label'."
    assert any("1 of 30 sounds cannot be read and is left out: row 8 (not a" in note for note in task.notes)
    np.testing.assert_allclose(
        example.samples, np.random.default_rng(number).uniform(-0.5, 0.5, 400), atol=1e-4
    )
    assert load_task(f"hub:{folder}(audio='audio')").fingerprint == task.fingerprint


@pytest.mark.skipif(importlib.util.find_spec("torchcodec") is not None, reason="needs no package torchcodec")
def test_a_folder_of_sounds_is_another_task(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / "train" / str(number % 2)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "train" / str(number % 2) / f"{number}.flac").write_bytes(sound(number))

    with pytest.raises(UnreadableTask, match="install 'torchcodec'.* write audio: before its path"):
        load_task(f"hub:{tmp_path}")


def test_a_column_that_holds_no_files_is_told(tmp_path: Path) -> None:
    write(tmp_path, train=texts(0, 30))

    with pytest.raises(UnreadableTask, match=r"'text' of .* holds no files\. Write text='text'"):
        load_task(f"hub:{tmp_path}(audio='text')")


def test_a_broken_image_is_left_out_and_named(tmp_path: Path) -> None:
    split = images(0, 30).cast_column("img", datasets.Image(decode=False))
    rows = split.to_list()
    rows[4]["img"] = {"bytes": b"broken", "path": None}
    folder = write(tmp_path / "set", train=datasets.Dataset.from_list(rows, split.features))

    task = load_task(f"hub:{folder}(label='fine')")

    assert "1 of 30 images cannot be read and is left out: row 5 (not an image)." in task.notes


def test_a_column_of_text_beside_images_may_be_meant(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", train=images(0, 30))

    assert load_task(f"hub:{folder}(text='note', label='fine')").modality is Modality.TEXT


def test_labelled_words_have_the_names_of_their_tags(tmp_path: Path) -> None:
    tags = datasets.List(datasets.ClassLabel(names=["O", "B-PER"]))
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": tags})
    columns = {
        "tokens": [[f"name{row}", "runs"] for row in range(20)],
        "ner_tags": [[row % 2, 0] for row in range(20)],
    }
    folder = write(tmp_path / "set", train=datasets.Dataset.from_dict(columns, features))

    task = load_task(f"hub:{folder}")

    assert (task.kind, task.classes) == (TaskKind.TOKENS, ("B-PER", "O"))
    assert isinstance(task.train.examples.read(0), Words)


def test_a_saved_data_set_is_the_same_task(tmp_path: Path) -> None:
    splits = {"train": texts(0, 20), "test": texts(200, 8)}
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "saved")
    folder = write(tmp_path / "set", **splits)

    assert load_task(f"hub:{tmp_path / 'saved'}").fingerprint == load_task(f"hub:{folder}").fingerprint


def test_a_stream_loads_no_more_than_the_limit(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", train=texts(0, 500), test=texts(1000, 60))

    task = load_task(f"hub:{folder}(streaming=True, limit=50)")

    assert len(task.train) + len(task.val) + len(task.test) == 50
    assert any("It is streamed: of each split the first rows count" in note for note in task.notes)
    assert load_task(f"hub:{folder}(streaming=True, limit=50)").fingerprint == task.fingerprint
    with pytest.raises(UsageError, match="streaming=True needs a limit of rows"):
        load_task(f"hub:{folder}(streaming=True)")


def test_images_are_limited_before_they_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", train=images(0, 40), test=images(100, 10))

    task = load_task(f"hub:{folder}(label='fine', train_limit=20)")

    assert [len(task.train) + len(task.val), len(task.test)] == [20, 10]


def test_other_splits_are_told(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", train=texts(0, 20), unsupervised=texts(100, 6))

    assert len(load_task(f"hub:{folder}").train) == 12
    assert any("'unsupervised' is ignored" in note for note in load_task(f"hub:{folder}").notes)
    assert len(load_task(f"hub:{folder}(split='train')").train) == 12
    with pytest.raises(UnknownName, match="No split of .* called 'trian'. Did you mean: train"):
        load_task(f"hub:{folder}(split='trian')")


def test_splits_of_other_names_must_be_chosen(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", one=texts(0, 20), two=texts(100, 6))

    with pytest.raises(UnreadableTask, match="splits .*none is called train. Name one, as in split='one'"):
        load_task(f"hub:{folder}")


def test_a_name_that_is_not_there_says_what_to_do() -> None:
    with pytest.raises(
        UnreadableTask,
        match=r"'nobody/nothing' is neither a folder nor in the local cache.*assay fetch hub:nobody/nothing",
    ):
        load_task("hub:nobody/nothing")


def test_a_configuration_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", train=texts(0, 20))

    with pytest.raises(UsageError, match="called 'german'. Known: default"):
        load_task(f"hub:{folder}(config='german')")


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", train=texts(0, 20))
    path = next(folder.rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(UnreadableTask, match="Files of the data set .* are broken .* Download it again"):
        load_task(f"hub:{folder}")


def test_any_column_may_tell_slices_of_texts_and_of_images(tmp_path: Path) -> None:
    languages = ["en", "de", "fr"]
    sliced = texts(0, 60).add_column("language", [languages[row % 3] for row in range(60)])
    pictures = images(0, 40).add_column("light", ["day" if row % 4 else "night" for row in range(40)])

    of_texts = load_task(f"hub:{write(tmp_path / 'texts', train=sliced)}(slices='language')")
    of_images = load_task(f"hub:{write(tmp_path / 'images', train=pictures)}(slices='light', label='fine')")

    rows = [int(str(of_texts.test.examples.read(row)).split()[1]) for row in range(len(of_texts.test))]
    (language,) = of_texts.slices
    assert [language.names[place] for place in language.positions] == [languages[row % 3] for row in rows]
    names = [of_images.test.examples.name(row) for row in range(len(of_images.test))]
    (light,) = of_images.slices
    numbers = [int(name.split()[1]) - 1 for name in names]
    assert [light.names[place] for place in light.positions] == [
        "day" if row % 4 else "night" for row in numbers
    ]
