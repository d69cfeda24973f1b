from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.readers.folders import Tree, find_files
from assay.readers.given_splits import GivenSplits
from assay.readers.splits import Part

Fill = Callable[..., Path]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Put two files, which nobody opens, into each of the folders."""

    def filled(*folders: str) -> Path:
        for folder in folders:
            place = tmp_path / folder
            place.mkdir(parents=True, exist_ok=True)
            for number in range(2):
                (place / f"{number}.png").touch()
        return tmp_path

    return filled


def counted(tree: Tree) -> dict[str, str]:
    """Return the class and the split of each folder that was read."""
    parts = [part.name.lower() for part in tree.parts] or ["-"] * len(tree.names)
    rows = zip(tree.names, tree.classes, parts, strict=True)
    return {str(Path(name).parent): f"{label} {part}" for name, label, part in rows}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set", "test_set"),
        ("seg_train", "seg_test"),
        ("train_images", "test_images"),
        ("train-set", "test-set"),
        ("TrainingSet", "TestSet"),
        ("trainset", "testset"),
        ("trn", "tst"),
        ("Training", "Testing"),
        ("TRAIN", "TEST"),
        ("train ", " test"),
        ("train", "holdout"),
        ("train", "hold-out"),
        ("train2017", "test2017"),
        ("flowers train", "flowers test"),
        ("train_flowers", "test_flowers"),
    ],
)
def test_folders_named_after_splits_are_the_official_splits(fill: Fill, train: str, test: str) -> None:
    folder = fill(f"{train}/cat", f"{train}/dog", f"{test}/cat", f"{test}/dog")

    assert counted(find_files(folder)) == {
        f"{train}/cat": "cat train",
        f"{train}/dog": "dog train",
        f"{test}/cat": "cat test",
        f"{test}/dog": "dog test",
    }


@pytest.mark.parametrize(
    "val", ["eval", "validate", "validation_set", "dev", "Valid", "val_images", "Evaluation"]
)
def test_other_names_of_val_are_val(fill: Fill, val: str) -> None:
    folder = fill("train/cat", "train/dog", f"{val}/cat", f"{val}/dog")

    assert counted(find_files(folder))[f"{val}/cat"] == "cat val"


def test_eval_beside_val_is_test(fill: Fill) -> None:
    folder = fill(*(f"{part}/{name}" for part in ("train", "val", "eval") for name in ("cat", "dog")))

    assert counted(find_files(folder))["eval/dog"] == "dog test"


def test_a_note_says_which_folders_are_read_as_splits(fill: Fill) -> None:
    folder = fill("trn/cat", "trn/dog", "tst/cat", "tst/dog")

    assert find_files(folder).notes == (
        "Folders are read as the official splits: 'trn' is train, 'tst' is test. "
        "Write train='.' if they are classes.",
    )


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "bus", "car"),
        ("train/steam", "train/diesel", "bus", "car"),
        ("train/steam", "train/diesel", "bus/red", "car/red"),
        ("test", "practice"),
        ("valid", "invalid"),
        ("training", "testing", "idle"),
        ("bullet train", "crash test", "bus"),
        ("bullet train/a", "bullet train/b", "crash test/c", "crash test/d"),
    ],
)
def test_classes_that_are_called_like_splits_stay_classes(fill: Fill, folders: tuple[str, ...]) -> None:
    tree = find_files(fill(*folders))

    assert not tree.parts
    assert set(tree.classes) == {folder.split("/")[0] for folder in folders}


def test_splits_may_be_named(fill: Fill) -> None:
    folder = fill(*(f"fold{fold}/{name}" for fold in (1, 2, 3) for name in ("cat", "dog")))

    tree = find_files(folder, given=GivenSplits(("fold1", "fold2"), test="fold3"))

    assert Counter(tree.parts) == {Part.TRAIN: 8, Part.TEST: 4}
    assert (
        "All classes ('fold1', 'fold2', 'fold3') hold folders of the same names"
        in find_files(folder).notes[0]
    )


def test_splits_may_be_denied(fill: Fill) -> None:
    folder = fill("train/a", "train/b", "test/a", "test/b")

    tree = find_files(folder, given=GivenSplits("."))

    assert (set(tree.classes), tree.parts) == ({"train", "test"}, [])


def test_a_split_that_is_named_must_exist(fill: Fill) -> None:
    folder = fill("fit/a", "fit/b")

    with pytest.raises(UnreadableTask, match=r"test='tset' names no folder in .*, which holds 'fit'\."):
        find_files(folder, given=GivenSplits("fit", test="tset"))
    with pytest.raises(UsageError, match="and none of train"):
        find_files(folder, given=GivenSplits(test="fit"))


def test_a_test_folder_beside_its_twin_of_another_name_is_asked_about(fill: Fill) -> None:
    folder = fill("learning/a", "learning/b", "test/a", "test/b")

    with pytest.raises(UnreadableTask, match=r"Write train='learning', test='test', or train='\.'"):
        find_files(folder)


@pytest.mark.parametrize("test", ["test", "test/test", "test/unknown"])
def test_a_test_folder_without_classes_is_not_used(fill: Fill, test: str) -> None:
    tree = find_files(fill("train/cat", "train/dog", test))

    assert set(tree.parts) == {Part.TRAIN}
    assert tree.notes[0] == "'test' has 2 files without a class: not used."


def test_folders_to_predict_are_not_used(fill: Fill) -> None:
    inner = [f"seg_{part}/seg_{part}/{name}" for part in ("train", "test") for name in ("sea", "street")]
    tree = find_files(fill(*inner, "seg_pred/seg_pred"))

    assert counted(tree)["seg_test/seg_test/sea"] == "sea test"
    assert "The folder 'seg_pred' next to the splits is ignored." in tree.notes


def test_splits_inside_the_classes_are_the_official_splits(fill: Fill) -> None:
    tree = find_files(fill("cat/train", "cat/test", "dog/train", "dog/test"))

    assert counted(tree)["dog/test"] == "dog test"
    assert tree.notes == (
        "'test', 'train' in each class folder are read as the official splits. "
        "Write train='.' to split at random.",
    )


def test_names_of_class_and_split_are_both_read(fill: Fill) -> None:
    tree = find_files(fill("cats_train", "cats_test", "dogs_train", "dogs_test"))

    assert counted(tree)["dogs_test"] == "dogs test"


@pytest.mark.parametrize("inner", ["data", "archive/dataset"])
def test_the_one_folder_inside_is_read(fill: Fill, inner: str) -> None:
    folder = fill(f"{inner}/train/cat", f"{inner}/train/dog", f"{inner}/test/cat", f"{inner}/test/dog")

    tree = find_files(folder)

    assert counted(tree)[f"{inner}/test/cat"] == "cat test"
    assert tree.notes == (f"The one folder inside, '{inner}', is read.",)


def test_the_one_folder_with_files_is_read(fill: Fill) -> None:
    folder = fill("data/cat", "data/dog")
    (folder / "docs").mkdir()

    tree = find_files(folder)

    assert set(tree.classes) == {"cat", "dog"}
    assert "The one folder inside, 'data', is read." in tree.notes


def test_one_folder_of_classes_beside_files_is_named(fill: Fill) -> None:
    folder = fill(".", "data/cat", "data/dog")

    with pytest.raises(UnreadableTask, match="All 4 images lie in 'data', which holds 2 folders"):
        find_files(folder).labelled()


@pytest.mark.parametrize(
    "system",
    ["@eaDir", "$RECYCLE.BIN", "__MACOSX", ".ipynb_checkpoints", "@Recycle", "#recycle", "lost+found"],
)
def test_folders_of_systems_are_no_classes(fill: Fill, system: str) -> None:
    tree = find_files(fill("cat", "dog", system))

    assert set(tree.classes) == {"cat", "dog"}
    assert tree.notes == (f"1 hidden file or folder is ignored ('{system}').",)


def test_files_of_systems_are_no_examples(fill: Fill) -> None:
    folder = fill("cat", "dog")
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "._0.png", "._1.png"):
        (folder / "cat" / name).touch()

    tree = find_files(folder)

    assert len(tree.names) == 4
    assert tree.notes == ("2 hidden files or folders are ignored ('cat/._0.png', 'cat/._1.png').",)


def test_a_class_folder_without_images_is_noted(fill: Fill) -> None:
    folder = fill("cat", "dog")
    (folder / "bird").mkdir()
    (folder / "fish").mkdir()
    (folder / "fish" / "a.svg").touch()

    assert find_files(folder).notes == (
        "2 class folders have no images: they count as no class ('bird (empty)', 'fish (1 other: .svg)').",
    )


def test_what_is_no_regular_file_is_never_opened(fill: Fill) -> None:
    folder = fill("cat", "dog")
    os.mkfifo(folder / "cat" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "dog" / "socket.png"))

    tree = find_files(folder)

    assert len(tree.names) == 4
    assert tree.notes == (
        "2 entries that are not regular files are ignored ('cat/pipe.png', 'dog/socket.png').",
    )


def test_links_out_of_the_folder_are_noted_and_not_followed(
    fill: Fill, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, other = fill("cat", "dog"), tmp_path_factory.mktemp("other")
    (other / "a.png").touch()
    (folder / "cat" / "a.png").symlink_to(other / "a.png")
    (folder / "bird").symlink_to(other)
    (folder / "cat" / "gone.png").symlink_to(folder / "cat" / "nowhere.png")

    tree = find_files(folder)

    assert len(tree.names) == 5  # the broken link too: it is reported as missing when it is read
    assert tree.notes == (
        "2 links that lead out of the folder are ignored ('bird', 'cat/a.png'): "
        "add (links=True) to follow links.",
    )
    assert "bird" in find_files(folder, follows_links=True).classes


@pytest.mark.parametrize("follows", [True, False])
def test_a_link_to_another_class_does_not_empty_it(fill: Fill, follows: bool) -> None:
    folder = fill("ant", "bee")
    (folder / "ant" / "all").symlink_to(folder / "bee")
    (folder / "bee" / "loop").symlink_to(folder / "bee")

    tree = find_files(folder, follows_links=follows)

    assert tree.classes.count("bee") == 2
    assert tree.classes.count("ant") == (4 if follows else 2)


def test_classes_spelt_differently_in_splits_are_one_class(fill: Fill) -> None:
    tree = find_files(fill("train/Cat", "train/e\u0301t\u00e9", "test/cat ", "test/\u00e9te\u0301"))

    assert set(tree.classes) == {"Cat", "\u00e9t\u00e9"}
    assert tree.notes == ("'Cat' and 'cat ' in different splits are one class (1 such).",)


@pytest.mark.parametrize("twins", [("sea lion", "sea_lion"), ("01", "1"), ("t-shirt", "T_Shirt")])
def test_other_separators_and_leading_zeros_in_splits_are_one_class(
    fill: Fill, twins: tuple[str, str]
) -> None:
    tree = find_files(fill(f"train/{twins[0]}", "train/-1", f"test/{twins[1]}", "test/-1"))

    assert set(tree.classes) == {twins[0], "-1"}
    assert tree.notes == (f"'{twins[0]}' and '{twins[1]}' in different splits are one class (1 such).",)


def test_folders_inside_classes_that_may_be_the_classes_are_noted(fill: Fill) -> None:
    tree = find_files(fill("animal/cat", "animal/dog", "plant/rose"))

    assert set(tree.classes) == {"animal", "plant"}
    assert tree.notes == (
        "The 2 classes hold 3 folders: 'cat' counts as 'animal'. "
        "Move these folders up if they are the classes.",
    )
    assert not find_files(fill("plant/cat")).notes  # the same inside two classes: sessions, or sizes


def test_classes_that_differ_in_case_only_are_noted(fill: Fill) -> None:
    tree = find_files(fill("cat", "Cat", "dog"))

    assert set(tree.classes) == {"cat", "Cat", "dog"}
    assert tree.notes == ("The classes 'Cat' and 'cat' differ only in case or spaces (1 such).",)


def test_names_that_are_no_text_are_escaped(fill: Fill, tmp_path: Path) -> None:
    fill("cat")
    (tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    (tmp_path / os.fsdecode(b"caf\xe9") / os.fsdecode(b"\xff.png")).touch()

    tree = find_files(tmp_path)

    assert set(tree.classes) == {"cat", "caf\\xe9"}
    assert tree.files().name(0) == "caf\\xe9/\\xff.png"
    assert tree.files().content(0) == b""


@pytest.mark.parametrize("parts", [("dev", "eval"), ("val", "test")])
def test_splits_without_train_are_asked_about(fill: Fill, parts: tuple[str, str]) -> None:
    folder = fill(*(f"{part}/{name}" for part in parts for name in ("cat", "dog")))

    with pytest.raises(UnreadableTask, match=r"and none of train\. Write for example train='"):
        find_files(folder)


def test_a_twin_of_train_is_noted(fill: Fill) -> None:
    tree = find_files(fill("train/a", "train/b", "benchmark/a", "benchmark/b"))

    assert set(tree.parts) == {Part.TRAIN}
    assert tree.notes[-1].startswith("'benchmark' holds folders of the same names: write test='benchmark'")


def test_splits_in_some_class_folders_only_are_noted(fill: Fill) -> None:
    tree = find_files(fill("bottle/train", "bottle/test", "bottle/masks", "cable/train", "cable/test"))

    assert tree.notes == (
        "Folders of splits in 'bottle', 'cable' are not read as splits, "
        "for not every class folder holds them alone.",
    )


@pytest.mark.parametrize(
    ("lists", "parts"),
    [
        ({"train.txt": "a/0.png\nb/0.png", "test.txt": "a/1.png\nb/1.png"}, "train test train test"),
        ({"train.txt": "a/0 0\nb/0 1", "val.txt": "a/1 0\nb/1 1"}, "train val train val"),
        ({"testing_list.txt": "a/0.png\n"}, "test train train train"),
        ({"meta/train.lst": "./a/0.png\nb\\1.png", "meta/test.lst": "a/1.png"}, "train test train"),
        ({"train_list.csv": "file,label\na/0.png,a\nb/0.png,b", "test.csv": "a/1.png,a"}, "train test train"),
        (
            {"images.txt": "1 a/0.png\n2 a/1.png\n3 b/0.png", "train_test_split.txt": "1 1\n2 0\n3 1"},
            "train test train",
        ),
    ],
    ids=["paths", "stems and labels", "test alone", "below", "tables", "numbers"],
)
def test_lists_of_files_are_the_official_splits(fill: Fill, lists: dict[str, str], parts: str) -> None:
    folder = fill("images/a", "images/b")
    for name, lines in lists.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(lines)

    tree = find_files(folder)

    assert [part.name.lower() for part in tree.parts] == parts.split()
    assert len(tree.names) == len(tree.classes) == len(tree.parts)
    assert any(note.startswith("The official splits are those in '") for note in tree.notes)
    assert not find_files(folder, given=GivenSplits(train=".")).parts


@pytest.mark.parametrize(
    ("lists", "fault"),
    [
        ({"train.txt": "epoch 1\nepoch 2\nepoch 3"}, ""),
        (
            {"train.txt": "a/0.png\nb/0.png", "test.txt": "a/0.png"},
            "'a/0.png' is in it and in another list of another split",
        ),
        (
            {"train.txt": "a/0.png\na/7.png\na/8.png", "test.txt": "a/1.png"},
            "only 1 of its 3 lines name files of the classes",
        ),
        ({"train.txt": "a/0.png\nb/0.png"}, ""),
        ({"train_test_split.txt": "1 1\n2 0"}, ""),
    ],
    ids=["no names", "twice", "missing files", "train alone", "numbers of nothing"],
)
def test_other_lists_are_no_splits(fill: Fill, lists: dict[str, str], fault: str) -> None:
    folder = fill("a", "b")
    for name, lines in lists.items():
        (folder / name).write_text(lines)

    tree = find_files(folder)

    assert not tree.parts
    assert len(tree.names) == 4
    assert fault in " ".join(tree.notes)
    assert bool(tree.notes) == bool(fault)
