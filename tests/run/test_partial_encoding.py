"""Large splits are encoded in parts, by several workers, to the features and Moments of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.run.test_blocks import TEST, TRAIN, Counting, made, task_of, texts_of, words_of

from assay import Study
from assay.core.errors import UsageError
from assay.core.features import Encoded
from assay.core.result import Opened, Status
from assay.core.task import SplitName
from assay.plugins.scheduler import Pause
from assay.run.evaluation import Evaluation
from assay.run.evaluator import Evaluator
from assay.run.full_matrix import FullMatrix
from assay.run.partial_encoding import EncodingPart, parts_of
from assay.run.partial_scheduler import InParts
from assay.run.pieces import pieces_of

COUNTS = {SplitName.TRAIN: TRAIN, SplitName.TEST: TEST}
PIECES = pieces_of(COUNTS, 512)


class Product(Counting):
    """Features by a product of matrices in single precision, which depends on the size of a batch."""

    def encode(self, examples):
        features = super().encode(examples).features.astype(np.float32)
        return Encoded(features @ np.linspace(-1, 1, 36, dtype=np.float32).reshape(6, 6) + 3, None)


@pytest.mark.parametrize("split", [texts_of, words_of])
def test_what_several_workers_encode_is_what_one_does_and_nothing_is_encoded_again(
    tmp_path: Path, split
) -> None:
    task, models = task_of(split), [Product() for _ in PIECES]
    for model, piece in reversed(list(zip(models, PIECES, strict=True))):
        encoder = made(model, tmp_path / "parts", None, task).encoder
        encoder.encode_piece(piece, task.split(piece.split), sums=piece.split is SplitName.TRAIN)
    last, one = Product(), Product()
    parts, whole = (
        made(model, tmp_path / name, None, task) for model, name in ((last, "parts"), (one, "one"))
    )
    parts.encoder.pieces = PIECES[: -len(pieces_of({SplitName.TEST: TEST}, 512))]

    for name in COUNTS:
        np.testing.assert_array_equal(parts.features(name).matrix, whole.features(name).matrix)
    merged, gram = parts.encoder.moments(), whole.encoder.moments().total.scatter.full_gram()
    assert np.linalg.norm(merged.total.scatter.full_gram() - gram) <= 1e-12 * np.linalg.norm(gram)
    assert len(merged.folds) == 5
    assert not last.encoded
    assert sum((model.encoded for model in models), last.encoded) == one.encoded


def test_other_batches_give_equal_features_to_single_precision(tmp_path: Path) -> None:
    task = task_of()
    for piece in PIECES:
        made(Product(), tmp_path / "parts", None, task, batch_size=1).encoder.encode_piece(
            piece, task.split(piece.split), sums=False
        )

    parts, whole = (
        made(Product(), tmp_path / name, None, task).features(SplitName.TRAIN) for name in ("parts", "one")
    )
    np.testing.assert_allclose(parts.matrix, whole.matrix, rtol=1e-5)


@pytest.fixture
def digits(tmp_path: Path):
    def make(model: str, *methods: str, **settings) -> Study:
        given = {"methods": methods, "store": tmp_path / "store", "examples_per_part": 512, **settings}
        return Study(models=[f"zoo:{model}"], tasks=["sklearn:digits"], control=False, **given)

    return make


def evaluation_of(study: Study) -> Evaluation:
    (evaluation,) = study.plan().evaluations
    return evaluation


def test_a_study_in_parts_gives_the_values_of_one_without(digits, tmp_path: Path) -> None:
    methods = ("logme", "ridge_cv")

    parts = digits("colours", *methods).run()
    whole = digits("colours", *methods, examples_per_part=None, store=tmp_path / "whole").run()

    assert [cell.value for cell in parts.cells] == pytest.approx(
        [cell.value for cell in whole.cells], rel=1e-9
    )
    assert len(list((tmp_path / "store" / "moments").glob("*-512-1024.npy"))) == 1


def test_only_splits_that_methods_read_are_cut_and_only_where_one_is_large(digits) -> None:
    def cut(*methods: str, **settings) -> list[tuple[str, int, int]]:
        return [
            tuple(part.piece) for part in parts_of(evaluation_of(digits("colours", *methods, **settings)))
        ]

    train = [("train", 0, 512), ("train", 512, 1024), ("train", 1024, 1079)]
    assert cut("logme", "parameters") == train
    assert cut("knn") == [*train, ("val", 0, 359), ("test", 0, 359)]
    assert cut("parameters") == []
    assert cut("knn", examples_per_part=1079) == []
    assert cut("knn", examples_per_part=None) == []
    with pytest.raises(UsageError, match="examples_per_part is 0. Write a whole number from 1"):
        digits("colours", "knn", examples_per_part=0)


def test_idle_workers_encode_parts_before_the_evaluation_itself_runs(digits) -> None:
    evaluation = evaluation_of(digits("colours", "logme"))
    scheduler = InParts(FullMatrix([evaluation]))

    first, helped = scheduler.ask("owner"), scheduler.ask("idle")
    last = scheduler.ask("owner")
    waits = scheduler.ask("idle"), scheduler.ask("idle")

    assert [part.piece.start for part in (first, helped, last)] == [0, 512, 1024]
    assert waits == (Pause.WAIT, Pause.WAIT)
    assert scheduler.ask("owner") == evaluation
    assert scheduler.ask("idle") is Pause.DONE
    assert scheduler.ask("owner") is Pause.DONE


def test_the_owner_waits_until_others_have_ended_their_parts(digits) -> None:
    scheduler = InParts(FullMatrix([evaluation_of(digits("colours", "logme"))]))

    parts = [scheduler.ask(worker) for worker in ("owner", "idle", "owner")]

    assert all(isinstance(part, EncodingPart) for part in parts)
    assert scheduler.ask("owner") is Pause.WAIT
    assert scheduler.ask("idle") is Pause.WAIT
    assert isinstance(scheduler.ask("owner"), Evaluation)


@pytest.mark.parametrize("model", ["broken", "nan"])
def test_what_fails_in_a_part_costs_no_row_and_the_evaluation_says_why(digits, model: str) -> None:
    evaluation, evaluate = evaluation_of(digits(model, "logme", "knn")), Evaluator()
    digits(model, "logme").begin(digits(model, "logme").plan())  # there is a store

    of_parts = [event for part in parts_of(evaluation) for event in evaluate(part, lambda stage: None)]
    finished = [event for event in evaluate(evaluation, print) if not isinstance(event, Opened)]

    assert all(isinstance(event, Opened) for event in of_parts)
    assert [event.result.status for event in finished] == [Status.FAILED] * 2


def test_a_worker_that_does_not_see_the_store_encodes_no_part(digits, tmp_path: Path) -> None:
    stages = []

    for part in parts_of(evaluation_of(digits("colours", "knn"))):
        list(Evaluator()(part, stages.append))

    assert not list((tmp_path / "store").glob("features/*"))
    assert f"left to the first worker: no other sees the store '{tmp_path / 'store'}'" in [
        stage.what for stage in stages
    ]
