"""The command line, as the tests of commands run it."""

from tests.cli.conftest import assay  # noqa: F401  # a fixture
