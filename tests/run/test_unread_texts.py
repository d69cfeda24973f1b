"""Word vectors that know few words, or none, of a task."""

from __future__ import annotations

from pathlib import Path

import pytest

import assay


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    (tmp_path / "a.vec").write_text("good 1 0\nbad 0 1\n")

    def run(words: tuple[str, str], known: int):
        texts = [
            f"{('good', 'bad')[row % 2]} {row}" if row < known else f"{words[row % 2]}{row}番"
            for row in range(60)
        ]
        lines = [f"{text},{'ab'[row % 2]}" for row, text in enumerate(texts)]
        (tmp_path / "a.csv").write_text("\n".join(["text,label", *lines]))
        return assay.Study(
            models=[f"vectors:{tmp_path / 'a.vec'}"],
            tasks=[str(tmp_path / "a.csv")],
            methods=["knn"],
            control=False,
            store=tmp_path / "store",
        ).run()

    return run


def test_a_task_without_a_known_word_is_an_error(study) -> None:
    cells = study(("猫", "犬"), known=0).cells

    assert {cell.status for cell in cells} == {"failed"}
    assert "The model knows no word of the train texts: all features are zeros." in cells[0].reason


def test_some_texts_without_a_known_word_are_counted(study) -> None:
    cells = study(("猫", "犬"), known=50).cells

    assert cells[0].status == "ok"
    assert any("train texts have zeros for features" in note for note in cells[0].notes)
