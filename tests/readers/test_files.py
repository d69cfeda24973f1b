from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.errors import UnreadableTask, UsageError
from assay.readers.checking import check
from assay.readers.files import FolderFiles, leave_out_unreadable
from assay.readers.images import StoredImages


def images_in(folder: Path, *names: str) -> StoredImages:
    return StoredImages(FolderFiles(folder, names))


def readable(files: StoredImages, share: float) -> tuple[np.ndarray, tuple[str, ...]]:
    unreadable = check(files, np.arange(len(files))).unreadable
    return leave_out_unreadable(files, np.arange(len(files)), unreadable, share)


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    path = tmp_path / "a.jpg"
    Image.fromarray(pixels).save(path)
    return path


def test_one_unreadable_image_is_left_out_and_named(jpeg: Path, tmp_path: Path) -> None:
    (tmp_path / "b.jpg").write_bytes(jpeg.read_bytes()[:800])
    files = images_in(tmp_path, "a.jpg", "b.jpg")

    rows, notes = readable(files, 0.01)

    assert rows.tolist() == [0]
    assert notes == ("1 of 2 images cannot be read and is left out: b.jpg (truncated).",)


def test_no_image_may_be_unreadable_if_the_share_is_0(jpeg: Path, tmp_path: Path) -> None:
    files = images_in(tmp_path, "a.jpg", "b.jpg")

    with pytest.raises(UnreadableTask, match="At most 0 may be left out"):
        readable(files, 0.0)


def test_too_many_unreadable_images_stop_with_the_setting_to_write(jpeg: Path, tmp_path: Path) -> None:
    files = images_in(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg")

    with pytest.raises(UnreadableTask) as caught:
        readable(files, 0.01)

    assert str(caught.value) == (
        "3 of 4 images cannot be read: b.jpg (no such file), c.jpg (no such file), d.jpg (no such file). "
        "At most 1 may be left out. "
        "Repair or remove them, or add (unreadable=0.75) to the task to leave them out."
    )
    assert readable(files, 0.75)[0].tolist() == [0]


def test_a_share_above_1_is_refused(tmp_path: Path) -> None:
    files = images_in(tmp_path)

    with pytest.raises(UsageError, match=r"Write for example unreadable=0\.01"):
        readable(files, 5.0)
