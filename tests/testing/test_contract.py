from __future__ import annotations

import pytest

from assay.core.task import LabelKind
from assay.plugins.function_score import score_of_function
from assay.testing.scores import ScoreContract

pytest_plugins = "pytester"

CONTRACT = """
import pytest
from assay.scores.{module} import {name}
from assay.testing.scores import ScoreContract

class TestMine(ScoreContract):
    @pytest.fixture
    def score(self):
        return {name}()
"""


def laws(pytester: pytest.Pytester, module: str, name: str) -> list[str]:
    """Return the laws that pytest collects for a score whose test is the one in the documentation."""
    pytester.makepyfile(CONTRACT.format(module=module, name=name))
    items, _ = pytester.inline_genitems("-p", "no:cacheprovider")
    return [item.name for item in items]


def test_a_fixture_is_enough_and_the_laws_that_do_not_apply_are_not_collected(pytester):
    laws_of_classes = laws(pytester, "logme", "LogME")

    assert "test_a_value_is_finite[LogME-classification-tall]" in laws_of_classes
    assert "test_a_value_is_finite[LogME-regression-wide]" in laws_of_classes
    assert any("test_better_separated" in law for law in laws_of_classes)
    assert not any("test_labels_that_do_not_matter" in law for law in laws_of_classes)


def test_a_score_that_reads_no_labels_is_not_asked_about_them(pytester):
    laws_without_labels = laws(pytester, "parameters", "Parameters")

    assert any("test_labels_that_do_not_matter" in law for law in laws_without_labels)
    assert not any("test_better_separated" in law for law in laws_without_labels)


def test_a_derived_class_has_the_laws_that_apply_to_its_own_plug_in():
    def spread(features, labels):
        return float(features.std())

    spread_of_numbers = score_of_function(spread)
    spread_of_numbers.kinds = frozenset({LabelKind.REGRESSION})

    class Numbers(ScoreContract):
        @pytest.fixture
        def score(self):
            return spread_of_numbers()

    class Classes(Numbers):
        @pytest.fixture
        def score(self):
            return score_of_function(spread)()

    assert Numbers.test_the_names_of_classes_do_not_matter is None
    assert Classes.test_the_names_of_classes_do_not_matter is not None


def test_a_fixture_that_needs_another_fixture_is_refused_with_what_to_write():
    with pytest.raises(TypeError, match="override the class method 'plugins'"):

        class Needy(ScoreContract):
            @pytest.fixture
            def score(self, tmp_path):
                return tmp_path
