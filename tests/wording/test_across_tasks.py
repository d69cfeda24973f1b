from dataclasses import replace

import numpy as np
import pytest

from assay.core.task import Modality
from assay.findings.similarity import Similarity, SimilarityMatrix
from assay.wording.across_tasks import similarity_remarks, similarity_title


def test_similar_tasks_and_one_against_all_others_are_named():
    values = np.array([[1.0, 0.95], [0.95, 1.0]]).tolist()
    tasks = SimilarityMatrix(("a", "b"), tuple(map(tuple, values)), (("a", "b"),), 0.9)
    similarity = Similarity(None, tasks, {"a": 0.8, "c": -0.4}, None, None, ())

    assert similarity_remarks(similarity) == (
        "a and b rank the models similarly (rank correlation 0.95): testing one is nearly enough.",
        "Ranking models unlike other tasks (rank correlation with their mean): c (−0.40).",
    )


@pytest.mark.parametrize(
    ("is_of_residuals", "sentence"),
    [
        (False, "a and b err on the same examples (error consistency 0.95)."),
        (True, "a and b have similar residuals (correlation 0.95)."),
    ],
)
def test_models_of_one_task_are_similar_by_their_errors_or_their_residuals(is_of_residuals, sentence):
    models = SimilarityMatrix(("a", "b"), ((1.0, 0.95), (0.95, 1.0)), (("a", "b"),), 0.8)
    found = Similarity(Modality.TEXT, None, {}, models, None, (), is_of_residuals)

    assert similarity_remarks(found) == (sentence,)
    assert similarity_title(found) == "Similarity of text models"
    assert similarity_title(replace(found, tasks=models)) == "Similarity of text tasks and models"
