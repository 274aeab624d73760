"""The parts of the panel: what the model says has changed, and what the view draws anew."""

from __future__ import annotations

from typing import Final

CONFIG: Final = "config"  # which configs there are, which is chosen, whether it is changed
DRAFT: Final = "draft"  # its fields and kwargs
PROMPT: Final = "prompt"  # the prompt's text and the values typed for its variables
VARIABLES: Final = "variables"  # which variables it has, and what the notebook has for them
STATE: Final = "state"  # what runs
ANSWER: Final = "answer"  # what the result tabs are about
HISTORY: Final = "history"  # what was asked in this session
NOTES: Final = "notes"  # lines about what was done

ALL: Final = frozenset({CONFIG, DRAFT, PROMPT, VARIABLES, STATE, ANSWER, HISTORY, NOTES})
