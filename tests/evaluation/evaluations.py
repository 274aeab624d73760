"""Makes evaluations without sending anything."""

from __future__ import annotations

from types import SimpleNamespace

from azml_magics import LLMConfig, Response, Usage
from azml_magics.errors import RateLimitError
from azml_magics.evaluation.evaluation import Evaluation
from azml_magics.evaluation.expectations import Expectations
from azml_magics.evaluation.matches import match_scorer
from azml_magics.evaluation.outcome import Outcome, Score
from azml_magics.evaluation.outcomes import Outcomes
from azml_magics.evaluation.settings import Setting
from azml_magics.rows.table_rows import Record

URL = "https://x.inference.ml.azure.com/score"
PROMPT = "Glad or cross? {letter}"


def make_settings(*names, **fields):
    return [
        Setting(n, LLMConfig(endpoint_url=URL, name=name, **fields), {"config": name}) for n, name in enumerate(names)
    ]


def make_evaluation(table, settings, *, repeats=1, prompt=PROMPT, expects=True, scores=None, note=""):
    """An evaluation of a table of (letter, label, [an answer for each setting and repeat]).

    An answer is a text, an exception, None for a row that was not sent, or a Response. `scores(answer)` adds scores.
    """
    outcomes = Outcomes(settings, repeats)
    scorer = match_scorer("normalized", Expectations({"": "label"}))
    for index, (letter, label, answers) in enumerate(table):
        expected = {"": label} if expects and label is not None else {}
        outcomes.add_row(Record(index, index, {"letter": letter, "label": label}), expected)
        for at, answer in enumerate(answers):
            if answer is None:
                continue
            setting = settings[at // repeats]
            is_error = isinstance(answer, Exception)
            response = None if is_error else as_response(answer)
            outcome = Outcome(
                setting, setting.config, response, answer if is_error else None, index, index,
                {"letter": letter, "label": label}, prompt.replace("{letter}", letter), expected,
            )  # fmt: skip
            outcomes.put(index * outcomes.width + at, outcome)
            if not is_error:
                found = [*scorer.score(outcome), *(scores(answer) if scores else ())]
                outcomes.add_scores(index * outcomes.width + at, found)
    return Evaluation(outcomes, SimpleNamespace(prompt=prompt, expectations=expects), note=note)


def as_response(answer):
    if isinstance(answer, Response):
        return answer
    return Response(answer, usage=Usage(10, 2, 12), latency=len(answer) / 10)


def rate_limit():
    return RateLimitError("Too many requests")


def length(answer):
    return [Score("length", float(len(answer)))]
