from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.errors import UnknownName, UnreadableTask
from assay.core.task import Modality, Task
from assay.testing.tasks import load_task

pytest.importorskip("torchvision")

rng = np.random.default_rng(0)


def write_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)).save(path)


def write_mnist(root: Path) -> None:
    """Write the files of MNIST, as it is distributed and unpacked."""
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, count in (("train", 60), ("t10k", 20)):
        pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        header = struct.pack(">IIII", 0x803, count, 28, 28)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        labels = np.arange(count, dtype=np.uint8) % 10
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 0x801, count) + labels.tobytes()
        )


def write_dtd(root: Path) -> None:
    base = root / "dtd" / "dtd"
    for part, count in (("train", 12), ("val", 6), ("test", 6)):
        names = [f"{('woven', 'banded')[row % 2]}/{part}_{row:04}.jpg" for row in range(count)]
        for name in names:
            write_picture(base / "images" / name)
        (base / "labels").mkdir(exist_ok=True)
        (base / "labels" / f"{part}1.txt").write_text("\n".join(names) + "\n")


def write_eurosat(root: Path) -> None:
    for name in ("River", "Forest"):
        for row in range(20):
            write_picture(root / "eurosat" / "2750" / name / f"{name}_{row}.jpg")


def write_pets(root: Path) -> None:
    base = root / "oxford-iiit-pet"
    (base / "annotations").mkdir(parents=True)
    for part, start, count in (("trainval", 0, 12), ("test", 100, 6)):
        lines = []
        for row in range(count):
            name = f"{('Abyssinian', 'beagle')[row % 2]}_{start + row}"
            write_picture(base / "images" / f"{name}.jpg")
            lines.append(f"{name} {row % 2 + 1} 1 1")
        (base / "annotations" / f"{part}.txt").write_text("\n".join(lines) + "\n")


def write_gtsrb(root: Path) -> None:
    base = root / "gtsrb" / "GTSRB"
    for row in range(12):
        write_picture(base / "Training" / f"{row % 2:05}" / f"{row}.ppm")
    for row in range(6):
        write_picture(base / "Final_Test" / "Images" / f"{row:05}.ppm")
    lines = [f"{row:05}.ppm;9;8;0;0;9;8;{row % 2}" for row in range(6)]
    (root / "gtsrb" / "GT-final_test.csv").write_text(
        "\n".join(["Filename;Width;Height;X1;Y1;X2;Y2;ClassId", *lines])
    )


FORMS: dict[str, tuple[Callable[[Path], None], list[int], tuple[str, ...]]] = {
    "MNIST": (write_mnist, [50, 10, 20], ("0 - zero", "1 - one", "2 - two")),
    "DTD": (write_dtd, [12, 6, 6], ("banded", "woven")),
    "EuroSAT": (write_eurosat, [24, 8, 8], ("Forest", "River")),
    "OxfordIIITPet": (write_pets, [10, 2, 6], ("Abyssinian", "Beagle")),
    "GTSRB": (write_gtsrb, [10, 2, 6], ("0", "1")),
}  # fmt: skip


def counts(task: Task) -> list[int]:
    return [len(task.train), len(task.val), len(task.test)]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_data_set_has_its_splits_and_the_names_of_its_classes(tmp_path: Path, name: str) -> None:
    write, sizes, classes = FORMS[name]
    write(tmp_path)

    task = load_task(f"torchvision:{name}(root='{tmp_path}')")

    assert task.modality is Modality.IMAGE
    assert counts(task) == sizes
    assert task.classes[: len(classes)] == classes
    assert task.test.examples.read(0).shape[2] == 3


def test_labels_belong_to_their_images(tmp_path: Path) -> None:
    write_dtd(tmp_path)

    task = load_task(f"torchvision:DTD(root='{tmp_path}')")

    import torchvision

    split = torchvision.datasets.DTD(str(tmp_path), split="test")
    for row in range(len(task.test)):
        place = int(task.test.examples.name(row).removeprefix("test "))
        assert task.classes[task.test.labels.values[row]] == split.classes[split[place][1]]
        np.testing.assert_array_equal(task.test.examples.read(row), np.asarray(split[place][0]))


def test_a_thousand_labels_are_those_of_train_and_val(tmp_path: Path) -> None:
    write_dtd(tmp_path)
    write_eurosat(tmp_path)

    assert counts(load_task(f"torchvision:DTD(root='{tmp_path}', train_limit=9)")) == [6, 3, 6]
    assert counts(load_task(f"torchvision:EuroSAT(root='{tmp_path}', train_limit=8)")) == [6, 2, 8]


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    write_eurosat(tmp_path)
    (tmp_path / "eurosat" / "2750" / "River" / "River_3.jpg").write_bytes(b"broken")

    notes = load_task(f"torchvision:EuroSAT(root='{tmp_path}')").notes

    assert any(note.startswith("1 of 40 images cannot be read and is left out: EuroSAT ") for note in notes)


def test_nothing_is_downloaded_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTask, match=r"There is no folder .*download=True to download it there"):
        load_task(f"torchvision:CIFAR10(root='{tmp_path / 'nowhere'}')")
    with pytest.raises(
        UnreadableTask, match=r"torchvision finds no CIFAR10 in .*: Dataset not found or corrupted"
    ):
        load_task(f"torchvision:CIFAR10(root='{tmp_path}')")


def test_other_data_sets_are_not_known() -> None:
    with pytest.raises(UnknownName, match="Did you mean: CIFAR10"):
        load_task("torchvision:CIFAR")
    with pytest.raises(UnknownName, match="No classification data set of torchvision called 'Kitti'"):
        load_task("torchvision:Kitti")


def test_every_name_is_one_of_torchvision() -> None:
    import torchvision

    from assay.tasks.torchvision import _SETS

    assert set(_SETS) <= set(torchvision.datasets.__all__)
