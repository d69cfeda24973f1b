import numpy as np
import pytest

from assay.core.errors import UsageError
from assay.findings.matrix import Matrix

TABLE = {"digits": {"b": 0.8, "a": 0.9}, "photos": {"a": 0.7, "b": None}}


def test_a_table_becomes_models_by_tasks_with_its_holes():
    matrix = Matrix.of(TABLE, {("b", "photos"): "out of memory"})

    assert matrix.models == ("a", "b")
    assert matrix.tasks == ("digits", "photos")
    assert matrix.known.tolist() == [[True, True], [True, False]]
    assert matrix.missing("b") == {"photos": "out of memory"}
    assert matrix.missing("a") == {}
    assert matrix.column("photos") == {"a": 0.7}


def test_a_part_keeps_names_values_and_reasons_together():
    part = Matrix.of(TABLE, {("b", "photos"): "out of memory"}).take(["b", "a"], ["photos"])

    assert part.models == ("b", "a")
    assert part.values[:, 0].tolist()[1] == 0.7
    assert part.missing("b") == {"photos": "out of memory"}


def test_values_cannot_be_changed():
    values = np.ones((1, 1))
    matrix = Matrix(("a",), ("t",), values)

    values[0, 0] = 2.0

    assert matrix.values[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        matrix.values[0, 0] = 2.0


@pytest.mark.parametrize(
    ("models", "tasks", "values", "message"),
    [
        (("a", "a"), ("t",), [[1.0], [2.0]], "The model 'a' stands twice"),
        (("a",), ("t", "t"), [[1.0, 2.0]], "The task 't' stands twice"),
        (("a",), ("t",), [[1.0, 2.0]], "1 models x 1 tasks has values of shape"),
        (("a",), ("t",), [[np.inf]], "'a' on 't' is infinite"),
    ],
)
def test_what_is_no_matrix_is_refused(models, tasks, values, message):
    with pytest.raises(UsageError, match=message):
        Matrix(models, tasks, np.array(values))


def test_nothing_is_a_matrix_too():
    assert Matrix.of({}).values.shape == (0, 0)
    assert Matrix.of({"t": {}}).values.shape == (0, 1)
