"""assay cache: what a store keeps although it could be made again."""

from __future__ import annotations

import os

import pytest

from assay.run.stored_comparison import compare_store
from assay.run.study import Study
from assay.store.results import Store, open_existing


@pytest.fixture
def store(photos, tmp_path):
    models = ["zoo:colours", "zoo:headed"]
    Study(models=models, tasks=[str(photos)], methods=["knn"], store=tmp_path / "store", control=False).run()
    for path in (tmp_path / "store" / "features").iterdir():
        os.utime(path, (1e9, 1e9))
    return tmp_path / "store"


def test_what_is_kept_is_listed_by_model_and_task(store, photos, assay):
    open_existing(store).features(
        open_existing(store).models()[0], open_existing(store).tasks()[0].fingerprint
    )

    code, shown, _ = assay("cache", str(store))

    assert code == 0
    title, first, second, total = shown.splitlines()
    assert title.split() == ["size", "last", "use", "features", "of"]
    assert "2001-09-0" in first
    assert first.endswith(f"zoo:headed on folder:{photos}")
    assert "2001-09-0" not in second
    assert second.endswith(f"zoo:colours on folder:{photos}")
    assert total.endswith(f" in {store}")


def test_pruning_keeps_the_results(store, assay):
    before = compare_store(open_existing(store))

    code, shown, _ = assay("cache", str(store), "--prune")

    assert code == 0
    assert shown.count("removed ") == 2
    assert shown.splitlines()[-1] == f"0 B in {store}"
    assert compare_store(open_existing(store)).cells == before.cells


def test_a_size_removes_only_what_does_not_fit(store, assay):
    assert "removed" not in assay("cache", str(store), "--cache-size", "1GB")[1]

    shown = assay("cache", str(store), "--cache-size", "25kB")[1]

    assert shown.count("removed ") == 1
    assert len(list((store / "features").glob("*-train.npy"))) == 1


def test_bad_requests_say_what_to_write(store, tmp_path, assay):
    assert assay("cache", str(store), "--cache-size", "much")[2] == (
        "assay: cache_size is 'much'. Write a size, as in 20GB or 500MB.\n"
    )
    assert (
        "Leave out --prune or --cache-size" in assay("cache", str(store), "--prune", "--cache-size", "1GB")[2]
    )
    assert "There is no store in" in assay("cache", str(tmp_path / "none"), "--prune")[2]


def test_nothing_is_removed_while_a_study_runs(store, assay):
    with Store(store).writing():
        code, _, complaint = assay("cache", str(store), "--prune")

    assert code == 1
    assert "Another process writes to the store" in complaint
    assert list((store / "features").glob("*.npy"))


def test_the_cache_of_the_user_is_listed_and_removed(tmp_path, monkeypatch, assay):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    (tmp_path / "pixels").mkdir()
    for name in ("0123456789.index", "0123456789.pixels"):
        (tmp_path / "pixels" / name).write_bytes(bytes(500_000))
    (tmp_path / "seen_files.sqlite").write_bytes(bytes(1000))

    code, shown, _ = assay("cache")
    _, smaller, _ = assay("cache", "--cache-size", "100KB")
    _, gone, _ = assay("cache", "--prune")

    assert code == 0
    title, first, second, total = shown.splitlines()
    assert title.split() == ["size", "last", "use"]
    assert {line[27:].strip() for line in (first, second)} == {
        "pixels of the recipe 01234567", "what was found in files"
    }  # fmt: skip
    assert total.endswith(f"1.00 MB in {tmp_path}")
    assert "pixels" not in smaller
    assert gone.splitlines()[-1].startswith("0")
    assert not list((tmp_path / "pixels").iterdir())
