"""evaluate over chains without an identity, and over frames that are elsewhere."""

from __future__ import annotations

import pytest
from langchain_core.runnables import RunnableLambda

from azml_magics import evaluate
from azml_magics.evaluation.preparation import prepare

pd = pytest.importorskip("pandas", reason="pandas is optional")

ROWS = [{"letter": "Dear all", "label": "glad"}, {"letter": "Go away", "label": "cross"}]


def mood(row):
    return "glad" if row["letter"].startswith("Dear") else "cross"


def test_chains_that_tell_nothing_of_themselves_are_two_settings():
    one, other = iter("ab"), iter("cd")
    chains = [RunnableLambda(lambda row: str(one)), RunnableLambda(lambda row: str(other))]
    assert len(prepare(chains, None, ROWS, expect="label").plan.settings) == 2


def test_dask_frame_is_collected_and_it_is_said():
    dd = pytest.importorskip("dask.dataframe", reason="a dask DataFrame needs the dask extra")
    rows = dd.from_pandas(pd.DataFrame(ROWS), npartitions=2)
    prepared = prepare(RunnableLambda(mood), None, rows, expect="label")
    assert "The dask DataFrame is collected first." in prepared.plan.notes
    with pytest.warns(UserWarning, match="The dask DataFrame is collected first"):
        evaluation = evaluate(RunnableLambda(mood), None, rows, expect="label")
    assert evaluation.summary()[0].accuracy.mean == 1.0
    with pytest.warns(UserWarning, match="collected first"):
        assert len(evaluate(RunnableLambda(mood), None, rows, limit=1)) == 1
