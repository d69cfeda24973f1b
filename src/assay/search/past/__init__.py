"""Results on past tasks: tables that come with Assay, those of the user, and the matching of models."""

from __future__ import annotations

from assay.search.past.library import all_tables, own_tables, shipped_tables
from assay.search.past.matching import Match, PastResults, past_for
from assay.search.past.table import PastTable

__all__ = ["Match", "PastResults", "PastTable", "all_tables", "own_tables", "past_for", "shipped_tables"]
