"""Evaluates prompts: every row of a table by every setting, with scores, intervals and differences."""
