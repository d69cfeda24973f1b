"""What assay list models prints, as a person reads it and as a pipe does."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.framework


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """Let the caches of all libraries be empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def rows_of(out: str) -> list[dict[str, str]]:
    heading, *rows = (line.split("\t") for line in out.splitlines())
    return [dict(zip(heading, row, strict=True)) for row in rows]


def test_models_that_fit_come_best_first_with_all_facts_in_a_pipe(assay) -> None:
    arguments = ("--source", "timm", "--max-parameters", "6M", "--licence", "apache-2.0", "--limit", "5")

    code, out, err = assay("list", "models", "--modality", "image", "--sort", "source-accuracy", *arguments)

    rows = rows_of(out)
    accuracies = [float(row["source_accuracy"]) for row in rows]
    assert code == 0
    assert len(rows) == 5
    assert accuracies == sorted(accuracies, reverse=True)
    assert all(len(row["source_accuracy"]) <= len("0.842") for row in rows)
    assert all(int(row["parameters"]) <= 6e6 and row["licence"] == "apache-2.0" for row in rows)
    assert err.startswith("5 of ")


def test_models_without_a_fact_that_is_asked_for_are_counted(assay) -> None:
    code, out, err = assay("list", "models", "--source", "torchvision", "--licence", "*")

    assert (code, len(rows_of(out))) == (0, 12)
    assert "103 models without a known licence left out" in err


def test_models_without_the_fact_that_sorts_come_last(assay) -> None:
    _, out, _ = assay("list", "models", "--source", "sentence", "--sort", "source-accuracy")

    known = [bool(row["source_accuracy"]) for row in rows_of(out)]
    assert known == sorted(known, reverse=True)
    assert not known[-1]


def test_packaged_models_are_local_and_download_nothing(assay) -> None:
    _, out, err = assay("list", "models", "--source", "packaged", "--local", "--max-download", "1kB")

    assert [row["address"] for row in rows_of(out)] == [
        "packaged:all_minilm_l6_v2",
        "packaged:efficientnet_lite0",
        "packaged:efficientnet_lite1",
        "packaged:efficientnet_lite2",
    ]
    assert err == "4 of 4 models\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--max-parameters", "1k"), "--max-parameters 1k leaves none of 4 models"),
        (("--max-parameters", "5M", "--licence", "mit"), "--licence mit leaves none of 1 model that"),
        (("--sort", "size"), "size"),
        (("--modality", "video"), "video"),
        (("--max-download", "big"), "Write a size, as in 20GB"),
    ],
)
def test_a_constraint_that_leaves_nothing_or_cannot_be_read_is_named(assay, arguments, message) -> None:
    code, _, err = assay("list", "models", "--source", "packaged", *arguments)

    assert code == 2
    assert message in err


def test_a_terminal_of_80_columns_shows_whole_names_and_a_dash_for_what_is_not_known(
    assay, monkeypatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("assay.cli.model_table._is_terminal", lambda: True)

    _, out, _ = assay("list", "models", "--source", "torchvision", "--sort", "parameters", "--limit", "3")

    heading, first, *_ = out.splitlines()
    assert heading.split() == ["model", "params", "source", "acc.", "download", "licence"]
    assert first.split() == [
        "torchvision:squeezenet1_1.IMAGENET1K_V1",
        "1.24M",
        "0.582",
        "4.96",
        "MB",
        "—",
    ]
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("what", [(), ("methods",), ("metrics",), ("folder",), ("suites",)])
def test_lists_wrap_to_80_columns_and_have_one_line_for_each_in_a_pipe(assay, monkeypatch, what):
    monkeypatch.delenv("COLUMNS", raising=False)
    piped = assay("list", *what)[1]
    monkeypatch.setenv("COLUMNS", "80")
    wrapped = assay("list", *what)[1]

    assert max(map(len, wrapped.splitlines())) <= 80
    assert " ".join(wrapped.split()) == " ".join(piped.split())
    assert len(piped.splitlines()) < len(wrapped.splitlines())
