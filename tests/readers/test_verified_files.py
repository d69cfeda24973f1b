"""A file that changed after it was checked is not read, because keys name its first content."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.errors import Unavailable
from assay.core.task import LabelKind, Labels
from assay.readers.files import FolderFiles
from assay.readers.gathering import gather_files
from assay.readers.images import StoredImages
from assay.readers.labelled_rows import LabelledRows
from assay.readers.verified_files import VerifiedFiles


def test_an_image_that_changed_since_it_was_checked_is_refused_with_its_path(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(tmp_path / f"{number}.png")
    files = StoredImages(FolderFiles(tmp_path, ("0.png", "1.png", "2.png")))
    labels = Labels(LabelKind.REGRESSION, np.arange(2.0))
    gathered = gather_files(files, LabelledRows(np.array([1, 2]), labels, None), unreadable=0.0)
    examples = pickle.loads(pickle.dumps(gathered)).examples  # as on another machine

    Image.new("RGB", (4, 4), (9, 0, 0)).save(tmp_path / "2.png")

    assert examples.read(0)[0, 0].tolist() == [1, 0, 0]
    with pytest.raises(Unavailable, match=f"'{tmp_path / '2.png'}' has another content than when"):
        examples.read(1)


def test_files_that_were_not_checked_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")

    files = VerifiedFiles.of(FolderFiles(tmp_path, ("a", "b")), np.array([1]), np.array([5], np.uint64))

    assert files.content(0) == b"a"
    with pytest.raises(FileNotFoundError):
        files.content(1)
