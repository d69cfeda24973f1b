"""Pipes, sockets, devices and loops of links: nothing waits, nothing is read twice, nothing ends a task."""

import os
import socket

import pytest
from PIL import Image

from assay.cli.score_files import read_arrays
from assay.core.errors import UsageError
from assay.core.paths import path_of
from assay.models.features.lookup import read_features
from assay.run.past_tables import PastReading, past_tables_of
from assay.run.plan import resolve_models, resolve_tasks
from assay.tasks.coco import Coco
from assay.tasks.folder import Folder
from assay.tasks.yolo import Yolo


@pytest.fixture
def pictures(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for row in range(6):
            Image.new("RGB", (8, 8), (40 * row, len(name), ord(name[0]))).save(tmp_path / name / f"{row}.png")
    return tmp_path


@pytest.mark.parametrize("follows", [False, True])
def test_a_folder_is_read_beside_what_is_no_file(pictures, follows, monkeypatch):
    os.mkfifo(pictures / "cat" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(pictures)  # the name of a socket must be short
        listening.bind("dog/socket.png")
    (pictures / "cat" / "loop").symlink_to("loop")
    (pictures / "cat" / "up").symlink_to("..")
    (pictures / "dog" / "zero.png").symlink_to("/dev/zero")
    (pictures / "labels.csv").mkdir()

    task = Folder(str(pictures), links=follows).load("folder:it", 0)

    assert sum(len(split) for split in (task.train, task.val, task.test)) == 12
    assert "pipe.png" in str(task.notes)


def test_annotations_that_are_pipes_are_not_read(pictures):
    (pictures / "annotations").mkdir()
    os.mkfifo(pictures / "annotations" / "instances_train2017.json")
    (pictures / "cat").rename(pictures / "images")
    (pictures / "labels").mkdir()
    for row in range(6):
        (pictures / "labels" / f"{row}.txt").write_text(f"{row % 2} 0.5 0.5 0.1 0.1")
    os.mkfifo(pictures / "data.yaml")

    with pytest.raises(UsageError, match="not a regular file"):
        Coco(str(pictures)).load("coco:it", 0)
    assert Yolo(str(pictures)).load("yolo:it", 0).classes == ("0", "1")


@pytest.mark.parametrize(
    "read",
    [
        lambda path: read_arrays(path, "labels", kind=None, sample=None),
        read_features,
        lambda path: past_tables_of(path, PastReading()),
        lambda path: resolve_tasks([f"coco:{path}"], 0),
        lambda path: resolve_tasks([str(path)], 0),
    ],
)
def test_a_pipe_in_place_of_a_file_is_an_error(read, tmp_path):
    for name in ("it.npz", "it.json"):
        os.mkfifo(tmp_path / name)

        with pytest.raises(Exception, match=r"regular file|pipe, socket or device|There is no file"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["a" * 5000, "~nobody-is-called-so/x", "a\0b", "~" * 300, "x/" * 3000])
def test_a_path_that_no_file_can_have_is_an_error_of_the_user(name):
    for resolve in (lambda: resolve_tasks([f"folder:{name}"], 0), lambda: resolve_models([f"onnx:{name}"])):
        with pytest.raises(UsageError):
            resolve()


@pytest.mark.parametrize("folder", ["/proc/self", "/dev"])
def test_a_tree_of_the_system_is_an_error_at_most(folder):
    with pytest.raises(UsageError):
        Folder(folder).load("folder:it", 0)


def test_the_home_of_an_unknown_user_is_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~nobody-is-called-so").mkdir()

    assert path_of("~nobody-is-called-so").is_dir()
