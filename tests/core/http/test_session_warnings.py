"""Warnings that are shown once in a session."""

from __future__ import annotations

import warnings

from azml_magics.core.http.session_warnings import warn_once


def test_warning_is_shown_once_even_if_filters_change():
    warn_once.cache_clear()
    with warnings.catch_warnings(record=True) as shown:
        for text in ("one", "two", "one"):
            warnings.simplefilter("always")
            warn_once(text)
    assert [str(each.message) for each in shown] == ["one", "two"]


def test_warning_shows_no_line_of_our_code():
    warn_once.cache_clear()
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        warn_once("one")
    assert warnings.formatwarning(shown[0].message, UserWarning, shown[0].filename, shown[0].lineno) == (
        "azml_magics:1: UserWarning: one\n"
    )
