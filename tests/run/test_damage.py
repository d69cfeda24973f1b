"""Damage to any file of a store: it is named, a report does without it, and a run makes it again."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from assay.actions.merge import merge
from assay.actions.verify import verify
from assay.findings.comparison import Comparison
from assay.reports.html.page import page
from assay.reports.json import as_json
from assay.reports.terminal.details import show
from assay.run.stored_comparison import compare_store
from assay.run.study import Study
from assay.store.arrays import Arrays
from assay.store.results import open_existing

BEFORE = ("linear_probe", "logme", "loo_knn")
AFTER = (*BEFORE, "knn", "leep")
NOUNS = {
    "predictions": "predictions of linear_probe of zoo:",
    "probs": "probabilities of linear_probe of zoo:",
    "truths": "test labels of folder:",
    "splits": "names of the examples of folder:",
    "examples": "shown examples of folder:",
    "slices": "slices of folder:",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 60 images of two slices and the finished store of a study."""
    folder = tmp_path_factory.mktemp("damage")
    rng = np.random.default_rng(0)
    lines = ["file,label,light"]
    (folder / "images").mkdir()
    for row in range(60):
        pixels = rng.normal(110, 30, size=(8, 8, 3)) + rng.normal(0, 12, size=3)
        pixels[..., row % 3] += 25
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / "images" / f"{row}.png")
        lines.append(f"{row}.png,{('red', 'green', 'blue')[row % 3]},{('day', 'night')[row % 2]}")
    (folder / "images" / "labels.csv").write_text("\n".join(lines))
    study(folder, folder / "store", BEFORE).run()
    return folder


@pytest.fixture(scope="module")
def undamaged(base: Path) -> Comparison:
    """What the study finds without damage."""
    shutil.copytree(base / "store", base / "undamaged")
    return study(base, base / "undamaged", AFTER).run()


@pytest.fixture
def store(base: Path, tmp_path: Path) -> Path:
    """A copy of the finished store."""
    return Path(shutil.copytree(base / "store", tmp_path / "store"))


def study(base: Path, store: Path, methods: tuple[str, ...]) -> Study:
    return Study(
        models=["zoo:colours", "zoo:headed"],
        tasks=[f"folder:{base / 'images'}(labels='labels.csv', slices='light')"],
        methods=methods,
        store=store,
        control=False,
    )


def replaced(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Return the damage that changes the content of a file."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


HARMS: dict[str, Callable[[Path], object]] = {
    "empty": replaced(lambda content: b""),
    "cut short": replaced(lambda content: content[: len(content) // 2]),
    "three bytes less": replaced(lambda content: content[:-3]),
    "a bit": replaced(lambda content: _changed(content, lambda half: bytes([half[0] ^ 1]) + half[1:])),
    "half of it zeros": replaced(lambda content: _changed(content, lambda half: bytes(len(half)))),
    "longer": replaced(lambda content: content + b"more"),
    "a folder": lambda path: (path.unlink(), path.mkdir(), (path / "file").write_text("of a user")),
    "a link to itself": lambda path: (path.unlink(), path.symlink_to(path)),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "another type": lambda path: path.write_bytes(_other_value(path)),
    "a petabyte": replaced(lambda content: content.replace(b"'shape': (", b"'shape': (999999999999, ")),
}  # fmt: skip


def _changed(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    middle = len(content) // 2
    return content[:middle] + change(content[middle:])


def _other_value(path: Path) -> bytes:
    if path.suffix == ".json":
        return b'["valid", {"but": 1}]'
    file = io.BytesIO()
    np.save(file, np.array([{"an": "object"}]), allow_pickle=True)
    return file.getvalue()


def numbers(comparison: Comparison) -> dict[tuple[str, str], object]:
    """Return all values and intervals by model and method."""
    values = {(cell.model, cell.method): (cell.value, dict(cell.metrics)) for cell in comparison.cells}
    standings = comparison.tasks[0].standings
    return values | {(standing.model, "standing"): standing for standing in standings}


def reported(store: Path) -> Comparison:
    """Compare a store, as ``assay report`` does, and render it."""
    opened = open_existing(store)
    comparison = compare_store(opened)
    opened.close()  # what is computed when it is shown does not need it open
    show(comparison, Console(file=io.StringIO(), width=80))
    as_json(comparison)
    return comparison


def files_of(store: Path, shelf: str) -> list[Path]:
    return [path for path in sorted((store / shelf).iterdir()) if path.name != ".lock"]


@pytest.mark.parametrize(
    "shelves", [("predictions", "truths", "examples", "features"), ("probs", "splits", "slices")]
)
@pytest.mark.parametrize("harm", HARMS)
def test_every_damaged_file_is_named_and_made_again(base, store, undamaged, harm, shelves):
    nouns = [NOUNS[shelf] for shelf in shelves if shelf in NOUNS]
    for shelf in shelves:
        for path in files_of(store, shelf):
            HARMS["empty" if harm == "a petabyte" and path.suffix == ".json" else harm](path)

    found = reported(store)
    for noun in nouns:
        assert sum(warning.startswith(f"Damaged {noun}") for warning in found.warnings) == 1
    assert all(
        warning.endswith("not used; the next run of the study makes them again.")
        for warning in found.warnings
        if not warning.startswith("Damaged features")
    )
    assert {(cell.model, cell.method): cell.value for cell in found.cells} == {
        (cell.model, cell.method): cell.value for cell in undamaged.cells if cell.method in BEFORE
    }

    again = study(base, store, AFTER).run()
    assert numbers(again) == numbers(undamaged)
    for noun in nouns:
        (warning,) = (warning for warning in again.warnings if warning.startswith(f"Damaged {noun}"))
        assert warning.endswith("made again.")


@pytest.mark.parametrize("harm", [harm for harm in HARMS if harm != "longer"])
def test_every_damaged_pack_of_a_merged_store_is_named_and_made_again(base, undamaged, tmp_path, harm):
    store = tmp_path / "merged"
    list(merge(store, [str(base / "store")]))
    packs = [path for shelf in ("predictions", "probs", "held_out") for path in files_of(store, shelf)]
    for path in packs:
        HARMS[harm](path)

    found = reported(store)
    assert any(warning.startswith("Damaged predictions of") for warning in found.warnings)
    again = study(base, store, AFTER).run()

    assert len(packs) == 3
    assert numbers(again) == numbers(undamaged)
    assert any(warning.startswith("Damaged predictions of") for warning in again.warnings)
    assert all(warning.endswith("made again.") for warning in again.warnings)
    assert reported(store).warnings == ()
    assert verify(store).problems == ()


def test_a_damaged_plan_of_the_last_run_is_named_and_written_again(base, store):
    HARMS["half of it zeros"](files_of(store, "planned")[0])

    found = reported(store)
    study(base, store, BEFORE).run()

    assert any(warning.startswith("Damaged list of the jobs of the last run") for warning in found.warnings)
    assert found.pending is None
    assert not any(warning.startswith("Damaged list") for warning in reported(store).warnings)


@pytest.mark.parametrize("shelf", NOUNS)
def test_damage_to_one_kind_of_file_leaves_the_others(base, store, undamaged, shelf):
    HARMS["half of it zeros"](files_of(store, shelf)[0])

    found = reported(store)
    page(found)
    assert len(found.warnings) == 1
    assert numbers(study(base, store, AFTER).run()) == numbers(undamaged)
    assert reported(store).warnings == ()


@pytest.mark.parametrize("shelf", ["predictions", "probs"])
def test_files_that_are_missing_are_named_and_made_again(base, store, undamaged, shelf):
    for path in files_of(store, shelf):
        path.unlink()

    again = study(base, store, AFTER).run()

    assert numbers(again) == numbers(undamaged)
    (warning,) = (warning for warning in again.warnings if warning.startswith(f"Damaged {NOUNS[shelf]}"))
    assert warning.endswith("made again.")
    assert len(files_of(store, shelf)) >= 2


@pytest.mark.parametrize(
    ("of", "engine"),
    [
        ("train", "local"),
        ("test", "local"),
        ("train-source", "local"),
        pytest.param("train", "isolated", marks=pytest.mark.framework),
    ],
)
def test_features_of_which_half_are_zeros_are_named_and_encoded_again(base, store, undamaged, of, engine):
    for path in (store / "features").glob(f"*-{of}.npy"):
        HARMS["half of it zeros"](path)

    found = replace(study(base, store, AFTER), engine=engine).run()

    assert numbers(found) == numbers(undamaged)
    assert any(warning.startswith("Damaged features") for warning in found.warnings)
    assert reported(store).warnings == ()


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ("held_out/*[!ws].npy", "Damaged held-out predictions of loo_knn of zoo:"),
        ("held_out/*-rows.npy", "Damaged held-out predictions of loo_knn of zoo:"),
        ("held_out_truths/*.npy", "Damaged labels of held-out examples of folder:"),
    ],
)
def test_held_out_predictions_of_which_half_are_zeros_are_made_again(base, store, undamaged, files, named):
    paths = list(store.glob(files))
    before = [path.read_bytes() for path in paths]
    for path in paths:
        HARMS["half of it zeros"](path)

    found = study(base, store, BEFORE).run()

    assert paths
    assert [path.read_bytes() for path in paths] == before
    (warning,) = found.warnings
    assert warning.startswith(named)
    assert warning.endswith("made again.")


def test_files_of_an_earlier_version_are_used_and_get_checksums(base, store, undamaged):
    for shelf in (*NOUNS, "features"):
        for path in files_of(store, shelf):
            if path.suffix == ".json":
                path.write_text(path.read_text().rstrip())
            else:
                np.save(path, np.load(path))

    (warning,) = reported(store).warnings
    assert (
        "of an earlier Assay have no checksum: used without verification; the next run adds checksums"
        in warning
    )
    again = study(base, store, AFTER).run()
    assert numbers(again) == numbers(undamaged)
    (warning,) = again.warnings
    assert "used; checksums were added" in warning
    assert reported(store).warnings == ()


OTHERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "texts": lambda array: array.astype("U8"),
    "a number": lambda array: np.zeros((), array.dtype),
    "fewer rows": lambda array: array[:-1],
    "no class or not finite": lambda array: np.full_like(array, np.nan if array.dtype.kind == "f" else 99),
}


@pytest.mark.parametrize("shelf", ["predictions", "features"])
@pytest.mark.parametrize("other", OTHERS)
def test_wrong_content_with_valid_checksums_is_named_and_made_again(base, store, undamaged, shelf, other):
    arrays = Arrays(store)
    for path in files_of(store, shelf):
        if "unread" not in path.stem:
            arrays.write(shelf, path.stem, OTHERS[other](np.array(Arrays(store).read(shelf, path.stem))))

    page(reported(store))
    again = study(base, store, AFTER).run()

    assert numbers(again) == numbers(undamaged)
    assert any(warning.startswith(f"Damaged {shelf}") for warning in again.warnings)
    assert reported(store).warnings == ()


def test_probabilities_of_other_examples_are_named_and_made_again(base, store, undamaged):
    for path in files_of(store, "probs"):
        Arrays(store).write("probs", path.stem, np.zeros((3, 3), np.float32))

    page(reported(store))
    again = study(base, store, AFTER).run()

    assert numbers(again) == numbers(undamaged)
    assert any(warning.endswith("made again.") for warning in again.warnings)


@pytest.mark.parametrize("shelf", ["predictions", "probs", "features", "held_out"])
def test_files_copied_over_those_of_another_model_are_named_and_made_again(base, store, undamaged, shelf):
    paths = files_of(store, shelf)
    for split in {path.stem.partition("-")[2] for path in paths}:  # every file of each split
        alike = [path for path in paths if path.stem.partition("-")[2] == split]
        contents = [path.read_bytes() for path in alike]
        for path, content in zip(alike, contents[1:] + contents[:1], strict=True):
            path.write_bytes(content)

    again = study(base, store, AFTER).run()

    assert numbers(again) == numbers(undamaged)
    assert any(warning.endswith("made again.") for warning in again.warnings)
    assert reported(store).warnings == ()
