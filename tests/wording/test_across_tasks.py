import numpy as np

from assay.findings.similarity import Similarity, SimilarityMatrix
from assay.wording.across_tasks import similarity_remarks


def test_similar_tasks_and_one_against_all_others_are_named():
    values = np.array([[1.0, 0.95], [0.95, 1.0]]).tolist()
    tasks = SimilarityMatrix(("a", "b"), tuple(map(tuple, values)), (("a", "b"),), 0.9)
    similarity = Similarity(None, tasks, {"a": 0.8, "c": -0.4}, None, None, ())

    assert similarity_remarks(similarity) == (
        "a and b rank the models similarly (rank correlation 0.95): testing one is nearly enough.",
        "Ranking models unlike other tasks (rank correlation with their mean): c (−0.40).",
    )
