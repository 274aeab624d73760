"""Evaluating a prompt: rows by settings, compared with what is expected, with scores and figures."""
