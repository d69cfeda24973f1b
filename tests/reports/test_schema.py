"""The published schema: what is written keeps to it."""

import json
from pathlib import Path

import jsonschema

from assay.findings.comparison import Comparison
from assay.reports.json import as_json, as_schema

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "comparison.schema.json"


def test_the_published_schema_is_that_of_the_code():
    """To write it anew: ``PUBLISHED.write_text(as_schema(Comparison), "utf-8")``."""
    assert PUBLISHED.read_text("utf-8") == as_schema(Comparison)


def test_what_is_written_keeps_to_the_schema(comparison):
    schema = json.loads(PUBLISHED.read_text("utf-8"))

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(as_json(comparison)), schema)


def test_the_schema_refuses_what_is_not_whole(comparison):
    report = json.loads(as_json(comparison))
    del report["tasks"][0]["standings"]
    report["tasks"][1]["task"]["kind"] = "guessing"

    errors = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text("utf-8"))).iter_errors(report)

    assert len(list(errors)) == 2
