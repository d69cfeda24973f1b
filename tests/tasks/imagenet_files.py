"""A small ImageNet: the pictures, in each of the forms in which people have the large one."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

SYNSETS = ("n01440764", "n01443537", "n02123045")
TRAIN, VAL = 10, 4  # pictures of each class
KIT = "ILSVRC2012_devkit_t12"


def pictures() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return train by synset/name, and val by name: the class of val number n is n % 3."""
    rng = np.random.default_rng(0)
    train = {f"{synset}/{synset}_{number}.JPEG": _jpeg(rng) for synset in SYNSETS for number in range(TRAIN)}
    val = {f"ILSVRC2012_val_{number + 1:08}.JPEG": _jpeg(rng) for number in range(VAL * len(SYNSETS))}
    return train, val


def write_folders(place: Path) -> None:
    """Write class folders train and val."""
    train, val = pictures()
    for name, content in train.items():
        _write(place / "train" / name, content)
    for number, (name, content) in enumerate(val.items()):
        _write(place / "val" / SYNSETS[number % 3] / name, content)


def write_distributed(place: Path) -> None:
    """Write the tar files and the development kit."""
    train, val = pictures()
    place.mkdir(exist_ok=True)
    of_class = {
        f"{synset}.tar": _tar({name.split("/")[1]: one for name, one in train.items() if synset in name})
        for synset in SYNSETS
    }
    (place / "ILSVRC2012_img_train.tar").write_bytes(_tar(of_class))
    (place / "ILSVRC2012_img_val.tar").write_bytes(_tar(val))
    kit = {f"{KIT}/data/{name}": content for name, content in devkit().items()}
    (place / f"{KIT}.tar.gz").write_bytes(_tar(kit, "w:gz"))


def devkit() -> dict[str, bytes]:
    """Return the files that say what val holds; classes have an order of their own in them."""
    numbers = {"n02123045": 1, "n01440764": 2, "n01443537": 3}
    fields = [
        ("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "O"),
        ("children", "O"), ("wordnet_height", "O"), ("num_train_images", "O"),
    ]  # fmt: skip
    leaves = [(number, synset, "a fish", "it swims", 0, [], 0, TRAIN) for synset, number in numbers.items()]
    synsets = np.array(
        [[row] for row in [*leaves, (4, "n00001740", "entity", "", 3, [1, 2, 3], 9, 0)]], dtype=fields
    )
    meta = io.BytesIO()
    savemat(meta, {"synsets": synsets})
    truth = "".join(f"{numbers[SYNSETS[number % 3]]}\n" for number in range(VAL * len(SYNSETS)))
    return {"meta.mat": meta.getvalue(), "ILSVRC2012_validation_ground_truth.txt": truth.encode()}


def _jpeg(rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def _tar(files: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
