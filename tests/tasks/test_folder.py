from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.testing.tasks import load_task

Paint = Callable[..., Path]


@pytest.fixture
def paint(tmp_path: Path) -> Paint:
    """Paint images that all differ into a folder."""
    rng = np.random.default_rng(0)

    def painted(folder: str, count: int = 1, suffix: str = "png") -> Path:
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"{number}.{suffix}")
        return tmp_path

    return painted


@pytest.fixture
def animals(paint: Paint) -> Path:
    paint("ant", 10)
    return paint("bee", 10)


def load_error(address: str) -> str:
    with pytest.raises(UnreadableTask) as caught:
        load_task(address)
    return str(caught.value)


def test_class_folders_are_cut_by_seed(animals: Path) -> None:
    task = load_task(f"folder:{animals}")

    assert [len(task.train), len(task.val), len(task.test)] == [12, 4, 4]
    assert task.classes == ("ant", "bee")
    assert task.metric == "accuracy"
    assert task.notes == ()


def test_another_seed_is_another_task(animals: Path) -> None:
    assert load_task(f"folder:{animals}", 0).fingerprint != load_task(f"folder:{animals}", 1).fingerprint


def test_official_splits_are_kept(paint: Paint) -> None:
    for part, count in (("train", 6), ("Validation", 2), ("test", 3)):
        paint(f"{part}/ant", count)
        folder = paint(f"{part}/bee", count)

    task = load_task(f"folder:{folder}")

    assert [len(task.train), len(task.val), len(task.test)] == [12, 4, 6]
    assert task.val.examples.name(0).startswith("Validation/")


def test_a_class_that_train_lacks_is_noted(paint: Paint) -> None:
    for place in ("train/ant", "train/bee", "test/ant", "test/bee", "test/cat"):
        folder = paint(place, 5)

    task = load_task(f"folder:{folder}")

    assert task.classes == ("ant", "bee", "cat")
    assert "The class 'cat' is in test and not in train: no model can get these examples right." in task.notes


def test_images_below_class_folders_are_found(animals: Path, paint: Paint) -> None:
    paint("ant/more/inside", 5)

    assert load_task(f"folder:{animals}").notes == ()
    assert sum(len(split) for split in _splits(animals)) == 25


def _splits(folder: Path) -> tuple[object, ...]:
    task = load_task(f"folder:{folder}")
    return task.train, task.val, task.test


def test_file_names_in_any_script_are_read(paint: Paint) -> None:
    paint("猫 (klein)", 5)
    folder = paint("höher=besser", 5)

    assert load_task(f"folder:{folder}").classes == ("höher=besser", "猫 (klein)")


def test_hidden_and_other_files_are_ignored(animals: Path) -> None:
    (animals / ".cache").mkdir()
    (animals / "ant" / ".DS_Store").write_bytes(b"x")
    (animals / "ant" / "notes.txt").write_text("x")

    assert load_task(f"folder:{animals}").notes == ()


def test_many_other_files_are_noted(animals: Path) -> None:
    for number in range(12):
        (animals / "ant" / f"{number}.txt").write_text("x")

    assert load_task(f"folder:{animals}").notes == ("12 files that are not images are ignored (.txt 12).",)


def test_a_loop_of_links_is_not_followed(animals: Path) -> None:
    (animals / "ant" / "again").symlink_to(animals, target_is_directory=True)
    (animals / "bee" / "self").symlink_to(animals / "bee", target_is_directory=True)

    assert sum(len(split) for split in _splits(animals)) == 20  # type: ignore[arg-type]


def test_a_train_among_cars_is_a_class(paint: Paint) -> None:
    paint("train", 5)

    assert load_task(f"folder:{paint('car', 5)}").classes == ("car", "train")


def test_folders_beside_splits_are_noted(paint: Paint) -> None:
    for place in ("train/ant", "train/bee", "val/ant", "val/bee", "test/ant", "test/bee", "extra/cat"):
        folder = paint(place, 4)

    assert load_task(f"folder:{folder}").notes == ("The folder 'extra' next to the splits is ignored.",)


def test_flat_splits_with_a_labels_file_are_read(paint: Paint) -> None:
    paint("train", 10)
    folder = paint("test", 4)
    rows = [f"train/{number}.png,{number % 2},train" for number in range(10)]
    rows += [f"test/{number}.png,{number % 2},test" for number in range(4)]
    (folder / "labels.csv").write_text("\n".join(["file,label,split", *rows]))

    task = load_task(f"folder:{folder}")

    assert [len(task.train), len(task.val), len(task.test)] == [8, 2, 4]


def test_a_list_in_each_folder_of_a_split_tells_its_labels(paint: Paint) -> None:
    for split, count in (("train", 20), ("test", 10)):
        folder = paint(split, count) / split
        rows = [f"{row}.png,{'bee' if row % 2 else 'ant'}" for row in range(count)]
        (folder / "metadata.csv").write_text("\n".join(["file_name,label", *rows]))

    task = load_task(f"folder:{folder.parent}")

    assert (len(task.train) + len(task.val), len(task.test)) == (20, 10)
    assert task.test.examples.name(0).startswith("test/")
    assert [task.classes[label] for label in task.test.labels.values] == [
        ["ant", "bee"][int(Path(task.test.examples.name(row)).stem) % 2] for row in range(10)
    ]


def test_paths_through_folders_of_splits_are_official_splits(paint: Paint) -> None:
    rows = []
    for split, count in (("train", 20), ("test", 10)):
        folder = paint(f"{split}/images", count)
        rows += [f"{split}/images/{row}.png,{'bee' if row % 2 else 'ant'}" for row in range(count)]
    (folder / "metadata.csv").write_text("\n".join(["file_name,label", *rows]))

    task = load_task(f"folder:{folder}")

    assert (len(task.train) + len(task.val), len(task.test)) == (20, 10)
    assert task.notes[0] == "The folders 'train', 'test' in 'file_name' are read as the official splits."
    assert load_task(f"table:{folder / 'metadata.csv'}").fingerprint == task.fingerprint


def test_a_list_beside_a_folder_called_images_is_read_by_numbers_without_suffix(paint: Paint) -> None:
    folder = paint("images", 20)
    rows = [f"{row},{'bee' if row % 2 else 'ant'}" for row in range(20)]
    (folder / "labels.csv").write_text("\n".join(["id,label", *rows]))
    (folder.parent / "another set").mkdir()
    for row in range(20):
        (folder.parent / "another set" / f"{row}.png").touch()  # a folder elsewhere is no doubt

    task = load_task(f"folder:{folder}")

    assert (task.classes, len(task.test)) == (("ant", "bee"), 4)
    assert load_task(f"table:{folder / 'labels.csv'}").fingerprint == task.fingerprint


def test_a_labels_file_elsewhere_names_paths_in_the_folder(
    animals: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [f"{name}/{number}.png,{number % 2}" for name in ("ant", "bee") for number in range(10)]
    listed = tmp_path_factory.mktemp("lists") / "parity.csv"
    listed.write_text("\n".join(["file,label", *rows]))

    assert load_task(f"folder:{animals}(labels='{listed}')").classes == ("0", "1")


def test_a_link_out_of_the_folder_is_followed_if_the_user_says_so(animals: Path, paint: Paint) -> None:
    paint("cat", 5)
    shutil.move(animals / "bee", animals.parent / f"{animals.name}-elsewhere")
    (animals / "bee").symlink_to(animals.parent / f"{animals.name}-elsewhere", target_is_directory=True)

    assert load_task(f"folder:{animals}(links=True)").classes == ("ant", "bee", "cat")
    assert load_task(f"folder:{animals}").classes == ("ant", "cat")
    assert load_task(f"folder:{animals}").notes == (
        "1 link that leads out of the folder is ignored ('bee'): add (links=True) to follow links.",
    )


def test_a_truncated_image_is_left_out_and_noted(animals: Path, paint: Paint) -> None:
    broken = animals / "ant" / "broken.jpg"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(broken)
    broken.write_bytes(broken.read_bytes()[:900])

    task = load_task(f"folder:{animals}")

    assert task.notes == ("1 of 21 images cannot be read and is left out: ant/broken.jpg (truncated).",)


def test_too_many_broken_images_stop(animals: Path) -> None:
    (animals / "ant" / "0.png").write_bytes(b"")
    (animals / "ant" / "1.png").write_bytes(b"no")

    message = load_error(f"folder:{animals}")

    assert message.startswith(
        "2 of 20 images cannot be read: ant/0.png (empty file), ant/1.png (not an image)."
    )
    assert message.endswith("add (unreadable=0.1) to the task to leave them out.")
    assert load_task(f"folder:{animals}(unreadable=0.1)").classes == ("ant", "bee")


def test_equal_images_in_train_and_test_are_noted(paint: Paint) -> None:
    for part in ("train", "val", "test"):
        paint(f"{part}/ant", 4)
        folder = paint(f"{part}/bee", 4)
    shutil.copy(folder / "train" / "ant" / "0.png", folder / "test" / "bee" / "copy.png")

    assert load_task(f"folder:{folder}").notes == (
        "1 test example is also in train (first: test/bee/copy.png).",
        "1 example occurs more than once with different labels (first: test/bee/copy.png).",
    )


def test_a_class_with_one_example_is_noted(animals: Path, paint: Paint) -> None:
    paint("cat", 1)

    assert load_task(f"folder:{animals}").notes == (
        "The class 'cat' has one example: it is in train, and test has none.",
    )


def test_a_labels_file_is_read_where_there_are_no_class_folders(paint: Paint) -> None:
    folder = paint("", 10)
    rows = [f"{number}.png,{'odd' if number % 2 else 'even'}" for number in range(10)]
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]))

    task = load_task(f"folder:{folder}")

    assert task.classes == ("even", "odd")
    assert task.train.examples.read(0).shape == (12, 10, 3)  # type: ignore[union-attr]


def test_a_labels_file_that_is_named_wins_over_class_folders(animals: Path) -> None:
    rows = [f"{name}/{number}.png\t{number / 4}" for name in ("ant", "bee") for number in range(10)]
    (animals / "age.tsv").write_text("\n".join(["path\tage", *rows]))

    task = load_task(f"folder:{animals}(labels='age.tsv', label='age')")

    assert (task.kind, task.metric) == ("regression", "spearman")


def test_class_folders_win_over_a_labels_file_that_is_not_named(animals: Path) -> None:
    (animals / "labels.csv").write_text("file,label\nant/0.png,x\n")

    assert load_task(f"folder:{animals}").classes == ("ant", "bee")


def test_a_labels_file_without_paths_says_what_to_write(animals: Path) -> None:
    (animals / "labels.csv").write_text("text,label\na,x\nb,y\n")

    assert load_error(f"folder:{animals}(labels='labels.csv')") == (
        "Cannot tell which column of labels.csv holds the paths of images: it has text, label. "
        "Write for example file='path'."
    )


def test_a_metric_may_be_named(animals: Path) -> None:
    assert load_task(f"folder:{animals}(metric='balanced_accuracy')").metric == "balanced_accuracy"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert load_error(f"folder:{tmp_path}/none") == (
        f"There is no folder '{tmp_path}/none'. Check the path after 'folder:'."
    )


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    assert load_error(f"folder:{tmp_path}") == (
        f"The folder '{tmp_path}' is empty. Put images into it, one folder for each class."
    )


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n")

    assert f"Write table:{tmp_path}/a.csv" in load_error(f"folder:{tmp_path}/a.csv")


def test_images_without_class_folders_say_what_to_do(paint: Paint) -> None:
    folder = paint("", 3)

    assert load_error(f"folder:{folder}") == (
        f"'{folder}' has 3 images and no class folders. Put the images of each class into a folder "
        "of its name, or list them in labels.csv with the columns file and label."
    )


def test_folders_without_images_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ant").mkdir()

    assert "has no images in class folders" in load_error(f"folder:{tmp_path}")


def test_one_class_is_no_task(paint: Paint) -> None:
    assert load_error(f"folder:{paint('ant', 6)}") == (
        "All 6 examples have the label 'ant'. A task needs two classes or more: "
        "add examples of another class, or name another label."
    )


def test_too_few_images_are_no_task(paint: Paint) -> None:
    paint("ant", 1)

    assert "2 examples (2 different ones) are too few: val would be empty" in load_error(
        f"folder:{paint('bee', 1)}"
    )


def test_an_unknown_setting_has_a_suggestion(animals: Path) -> None:
    with pytest.raises(
        UnknownName, match=r"No setting of 'folder' called 'unreadible'\. Did you mean: unreadable"
    ):
        load_task(f"folder:{animals}(unreadible=1)")


def test_shares_that_leave_nothing_are_refused(animals: Path) -> None:
    with pytest.raises(UsageError, match=r"val=0\.6 and test=0\.4 leave a split empty"):
        load_task(f"folder:{animals}(val=0.6, test=0.4)")


def test_a_list_of_images_may_tell_slices(animals: Path) -> None:
    rows = [
        f"{name}/{n}.png,{name},{'day' if n % 2 else 'night'}" for name in ("ant", "bee") for n in range(10)
    ]
    (animals / "labels.csv").write_text("\n".join(["file,label,light", *rows]))

    task = load_task(f"folder:{animals}(labels='labels.csv', slices='light')")

    names = [task.test.examples.name(row) for row in range(len(task.test))]
    told = [task.slices[0].names[place] for place in task.slices[0].positions]
    assert told == ["day" if int(Path(name).stem) % 2 else "night" for name in names]


def test_class_folders_have_no_slices(animals: Path) -> None:
    assert "slices are columns of a table" in load_error(f"folder:{animals}(slices='light')")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("images/a.png", "images/b.png", "masks/a.png"), "'images', 'masks' are not classes. It has masks"),
        (
            ("images/train/a.png", "labels/train/a.txt"),
            "'images' is not a class. It has boxes of YOLO: write yolo:",
        ),
        (("train/images/a.png", "valid/images/a.png", "train/labels/a.txt"), "write yolo:"),
        (("JPEGImages/a.png", "Annotations/a.xml"), "It has boxes of Pascal VOC"),
        (("train/a.png", "train/_annotations.coco.json"), "It has annotations of COCO: write coco:"),
        (
            ("train/a.png", "train.csv"),
            "If 'train.csv' lists them with their labels, write labels='train.csv'.",
        ),
    ],
    ids=["masks", "YOLO", "YOLO in splits", "VOC", "COCO", "table"],
)
def test_folders_of_annotations_are_no_classes(tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()

    with pytest.raises(UnreadableTask) as raised:
        load_task(f"folder:{tmp_path}")

    assert message in str(raised.value)
