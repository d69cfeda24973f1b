import pyarrow.parquet as pq
import pytest

from assay.reports.parquet import Parquet


@pytest.fixture
def table(comparison, tmp_path):
    path = tmp_path / "report.parquet"
    Parquet().render(comparison, path)
    return pq.read_table(path)


def test_each_cell_is_a_row(table, comparison):
    assert table.num_rows == len(comparison.cells)


def test_columns_are_flat(table):
    assert {"metric_accuracy", "metric_rmse", "tuned_C", "interval_low"} <= set(table.column_names)
    assert not any(str(kind).startswith(("struct", "map", "list")) for kind in table.schema.types)


def test_a_failed_row_has_its_reason_and_no_value(table):
    failed = [row for row in table.to_pylist() if row["status"] == "failed"]

    assert len(failed) == 4
    assert all(row["reason"] and row["value"] is None and row["rank"] is None for row in failed)


def test_the_ranking_rows_carry_standings(table, comparison):
    rows = [row for row in table.to_pylist() if row["is_recommended"]]

    assert {row["model"] for row in rows} == {findings.recommended for findings in comparison.tasks}
    assert all(row["model_parameters"] > 0 and row["interval_low"] < row["interval_high"] for row in rows)
