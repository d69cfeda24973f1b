"""Keys never change: stores that are there would run everything again."""

from __future__ import annotations

from assay.core.keys import (
    MethodParts,
    ModelParts,
    OpenedParts,
    SampleParts,
    features_key,
    job_key,
    random_features_key,
)


def test_the_key_of_a_job_is_what_it_was():
    method = MethodParts("knn", {"k": 5, "weights": None}, 1, "")
    parts = {"model": ModelParts("timm", "id"), "task": "print", "metric": "accuracy", "seed": 0}

    assert job_key(**parts, method=method) == "ae24335656a8c95f391e01a6343f03a9"
    assert job_key(**parts, method=method._replace(content="hash")) == "d9fdb340585ef4c6a78b0b1c23b671b6"


def test_the_keys_of_features_are_what_they_were():
    whole = SampleParts("print", 5000, 0)

    assert features_key(OpenedParts("id", "weights", "resize"), "print") == "d6f153147e0ef459b67a6bc593ff2754"
    assert random_features_key("id", whole, {}) == "7e03bbc1784d78c3dcbbb90710a5cfcd-random"
    assert random_features_key("id", whole, {"layer": 3.0}) == "7173bcfdefa8e78067f9a078a12e56e9-random"


def test_a_part_of_train_and_another_encoding_have_keys_of_their_own():
    method, model = MethodParts("knn", {}, 1, ""), ModelParts("timm", "id")
    parts = {"task": "print", "metric": "accuracy", "seed": 0, "method": method}

    jobs = {
        job_key(model=model, **parts),
        job_key(model=model, **parts, train_rows=100),
        job_key(model=model, **parts, train_rows=200),
        job_key(model=model._replace(encoding=2), **parts),
    }

    assert len(jobs) == 4


def test_features_of_another_dtype_or_encoding_have_keys_of_their_own():
    parts, whole = OpenedParts("id", "weights", "resize"), SampleParts("print", 5000, 0)

    features = {
        features_key(parts, "print"),
        features_key(parts._replace(dtype="bfloat16"), "print"),
        features_key(parts._replace(encoding=2), "print"),
    }
    random = {
        random_features_key("id", whole, {}),
        random_features_key("id", whole._replace(train_rows=100), {}),
        random_features_key("id", whole, {}, encoding=2),
    }

    assert (len(features), len(random)) == (3, 3)
