"""What frontends without our mime type choose: Markdown for a response, the table for a batch, never the JSON."""

from __future__ import annotations

import pytest
from nbconvert import HTMLExporter, MarkdownExporter

from azml_magics.compare.comparison import Batch, Row
from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response
from azml_magics.display import mime

# VS Code: NOTEBOOK_DISPLAY_ORDER in its source (notebookCommon.ts); what is in no such list, and has no renderer, comes last
VS_CODE = (
    "application/json",
    "application/javascript",
    "text/html",
    "image/svg+xml",
    "text/latex",
    "text/markdown",
    "image/png",
    "image/jpeg",
    "text/plain",
)
# JupyterLab without the extension: the ranks of @jupyterlab/rendermime's factories, best first, then its JSON viewer's
JUPYTERLAB = (
    "application/json",
    "text/html",
    "text/latex",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "text/plain",
)


def orders():
    """Frontend -> the mime types it takes, best first."""
    exporters = {
        kind.__name__: kind().config.NbConvertBase.display_data_priority for kind in (HTMLExporter, MarkdownExporter)
    }
    return {"VS Code": VS_CODE, "JupyterLab": JUPYTERLAB, **exporters}


def chosen(order, bundle):
    return next(mime for mime in order if mime in bundle)


@pytest.mark.parametrize("frontend", orders())
def test_frontends_choose_markdown_for_a_response(frontend):
    bundle, _ = mime.response_bundle(Response("Rivers **run**."))
    assert chosen(orders()[frontend], bundle) == "text/markdown"
    assert mime.RESPONSE_MIME in bundle


@pytest.mark.parametrize("frontend", orders())
def test_frontends_choose_text_for_the_text_format(frontend):
    bundle, _ = mime.response_bundle(Response("Rivers **run**.", format="text"))
    assert chosen(orders()[frontend], bundle) == "text/plain"


@pytest.mark.parametrize("frontend", orders())
def test_frontends_choose_the_table_for_a_batch(frontend):
    batch = Batch([Row({"config": name}, LLMConfig(), Response("Rivers run.")) for name in ("a", "b")])
    bundle, _ = mime.batch_bundle(batch)
    assert chosen(orders()[frontend], bundle) == "text/html"
    assert mime.RESPONSE_MIME in bundle
