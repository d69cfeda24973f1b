"""Two models of a store, and whether one may take the place of the other."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

QUICK = ("--method", "knn", "--seeds", "1")


@pytest.fixture
def store(assay, photos):
    assay("rank", str(photos), "-m", "zoo:colours", "-m", "zoo:noisy", *QUICK)


def test_two_models_are_compared_from_the_store_alone(assay, store):
    code, out, _ = assay("compare", "zoo:colours", "zoo:noisy")
    text = " ".join(out.split())

    assert code == 0
    assert "before colours after noisy" in text
    assert "right before, wrong after:" in text
    assert "parameters 36 36 1.00" in text


def test_the_models_of_the_named_store_are_completed(store, complete):
    assert complete("assay|compare|") == ["colours", "noisy", "zoo:colours", "zoo:noisy"]
    assert complete("assay|gate|--store|assay-store|zoo|:|n") == ["noisy"]
    assert complete("assay|compare|--store|nowhere|") == []


def test_the_gate_answers_with_its_exit_code_and_in_files(assay, store, tmp_path):
    files = ("--junit", "gate.xml", "--json", "out/gate.json", "--markdown", "gate.md")
    code, out, _ = assay("gate", "--baseline", "zoo:colours", *files)
    report = json.loads((tmp_path / "out" / "gate.json").read_text())
    suite = ElementTree.fromstring((tmp_path / "gate.xml").read_text())

    assert code == {"pass": 0, "fail": 1, "not enough data to tell": 3}[report["verdict"]]
    assert report["verdict"] in out
    assert report["change"]["after"]["address"] == "zoo:noisy"
    assert len(suite) == len(report["tasks"]) == 1
    head, *_, heads, _, row, _, reason = (tmp_path / "gate.md").read_text().splitlines()
    flips = report["change"]["tasks"][0]["flips"]
    assert head.endswith(f"assay gate: {report['verdict']}")
    assert heads.count("|") == row.count("|")
    assert row.endswith(f" | {flips['negative']} of 18 | {flips['positive']} of 18 |")
    assert f"| {report['tasks'][0]['difference']:+.3g} | " in row
    assert reason.startswith("- photos: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "zoo:colour", "zoo:noisy"), "Did you mean: colours?"),
        (("compare", "zoo:colours", "zoo:noisy", "--task", "digits"), "No task of 'assay-store' called"),
        (("compare", "zoo:colours", "zoo:noisy", "--method", "logme"), "No method with results called"),
        (("compare", "a", "b", "--store", "nowhere"), "There is no store in 'nowhere'"),
        (("gate", "--baseline", "zoo:colours", "--max-regression", "much"), "Write points, as in 0.5pt"),
        (("gate", "--baseline", "zoo:blind"), "No model of 'assay-store' called 'zoo:blind'"),
    ],
)
def test_a_wrong_request_says_what_to_write(assay, store, arguments, message):
    code, _, err = assay(*arguments)

    assert code in {1, 2}
    assert message in err


def test_a_model_beyond_a_limit_is_told_and_never_passes_the_gate(assay, store, tmp_path):
    message = "noisy is beyond a limit: more than 35 parameters"
    limit = ("--max-parameters", "35")

    assert message in " ".join(assay("compare", "zoo:colours", "zoo:noisy", *limit)[1].split())
    code, out, _ = assay(
        "gate", "--baseline", "zoo:colours", "--max-regression", "99pt", *limit, "--junit", "g.xml"
    )

    assert (code, message in " ".join(out.split())) == (1, True)
    suite = ElementTree.fromstring((tmp_path / "g.xml").read_text())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert (
        assay("gate", "--baseline", "zoo:colours", "--max-regression", "99pt", "--max-parameters", "36")[0]
        != 1
    )
