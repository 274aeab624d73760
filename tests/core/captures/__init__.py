"""Responses of real servers as data, and what must be read in those of 2026."""
