"""The tests of azml_magics; folders mirror its rooms."""
