import dataclasses
import json

from assay.findings.comparison import Comparison
from assay.reports.json import Json


def _read(comparison, folder):
    path = folder / "report.json"
    Json().render(comparison, path)
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_schema_and_every_field_are_there(comparison, tmp_path):
    report = _read(comparison, tmp_path)

    assert report["schema"] == 5
    fields = {field.name for field in dataclasses.fields(Comparison)}
    assert set(report) == {"schema", "direction"} | fields - {"examples", "hardest"}  # these are for people


def test_values_survive(comparison, tmp_path):
    report = _read(comparison, tmp_path)
    first = comparison.tasks[0].standings[0]

    assert report["tasks"][0]["standings"][0]["value"] == first.value
    assert report["tasks"][0]["standings"][0]["interval"]["low"] == first.interval.low
    assert report["tasks"][0]["task"]["modality"] == "image"
    assert report["tasks"][0]["class_accuracy"].keys() == comparison.tasks[0].class_accuracy.keys()
    assert len(report["cells"]) == len(comparison.cells)
