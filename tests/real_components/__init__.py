"""Servers of others as real endpoints for the tests: prompt flow's own server, and LiteLLM's proxy."""
