"""Keys never change: stores that are there would run everything again."""

from __future__ import annotations

from assay.core.keys import MethodParts, features_key, job_key, random_features_key


def test_the_key_of_a_job_is_what_it_was():
    method = MethodParts("knn", {"k": 5, "weights": None}, 1, "")
    parts = {"source": "timm", "identity": "id", "task": "print", "metric": "accuracy", "seed": 0}

    assert job_key(**parts, method=method) == "ae24335656a8c95f391e01a6343f03a9"
    assert job_key(**parts, method=method._replace(content="hash")) == "d9fdb340585ef4c6a78b0b1c23b671b6"


def test_the_keys_of_features_are_what_they_were():
    assert features_key("id", "weights", "resize", "print") == "d6f153147e0ef459b67a6bc593ff2754"
    assert random_features_key("id", "print", (5000, 0), {}) == "7e03bbc1784d78c3dcbbb90710a5cfcd-random"
    assert (
        random_features_key("id", "print", (5000, 0), {"layer": 3.0})
        == "7173bcfdefa8e78067f9a078a12e56e9-random"
    )
