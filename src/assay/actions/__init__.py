"""Actions besides running a study: save, submit, fetch, check, score, compare two models."""
