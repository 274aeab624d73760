"""Recorded exchanges in a file, so that a notebook runs again without a network, a key or a bill."""
