"""A model that never answers in time: the server itself gives up (SCORING_TIMEOUT_MS)."""

import threading


def init():
    pass


def run(raw_data):
    threading.Event().wait(300)
