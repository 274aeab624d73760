"""A batch as an HTML table that no response's text breaks out of."""

from __future__ import annotations

import html.parser
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.compare.comparison import Batch, Row
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ResponseFormatError
from azml_magics.core.response import Response, Usage
from azml_magics.display.batch_html import MAX_COLUMNS, batch_to_html

CONFIG = LLMConfig(name="prod")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><svg/onload=alert(1)>",
    "<mark>mine</mark> &lt; &amp; &#60;",
    "javascript:alert('x')",
    "<!-- ]]> <style>*{}</style>",
)


def row(text=None, error=None, /, usage=None, latency=0.0, finish="stop", **setting):
    response = None
    if text is not None:
        response = Response(text, usage=usage, finish_reason=finish, latency=latency)
    return Row(setting or {"answer": 1}, CONFIG, response, error)


def batch(*texts):
    return Batch(row(text, answer=number) for number, text in enumerate(texts, 1))


class Reader(html.parser.HTMLParser):
    """What a browser would see: the tags with their attributes, and the text of each cell."""

    def __init__(self):
        super().__init__()
        self.tags, self.cells, self.marks = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag == "br":
            self.handle_data("\n")
            return
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        if tag in ("td", "th"):
            self.cells.append("")
        if tag == "mark":
            self.marks.append("")

    def handle_data(self, data):
        self.cells[-1] += data
        if self.tags[-1][0] == "mark":
            self.marks[-1] += data

    def handle_endtag(self, tag):
        self.tags.append((f"/{tag}", ()))


def seen(a_batch, **options):
    reader = Reader()
    reader.feed(batch_to_html(a_batch, **options))
    reader.close()
    return reader


def test_few_responses_stand_in_columns():
    made = Batch(
        [
            row("a b", usage=Usage(1, 2, 3), latency=0.52, temperature=0),
            row("a c", ResponseFormatError("no"), temperature=1),
        ]
    )
    assert seen(made).cells == [
        *("temperature: 0", "temperature: 1"),
        *("a b", "a cResponseFormatError: no"),
        *("2 tokens · stop", "stop"),
    ]
    assert seen(made).marks == ["c"]
    assert (
        len(re.findall('<t[hd][^>]* style="text-align:left', batch_to_html(made))) == 6
    )  # Jupyter's own would be right
    assert batch_to_html(made).count('<th scope="col"') == 2
    assert seen(made, times=True).cells[4] == "2 tokens · stop · 0.5 s"


def test_many_responses_stand_below_each_other():
    made = Batch(row(f"a {n}", usage=Usage(1, 2, 3), latency=0.52, temperature=n) for n in range(5))
    assert seen(made).cells[:8] == ["temperature", "response", "finish", "tokens", "0", "a 0", "stop", "2"]
    assert seen(made).marks == ["1", "2", "3", "4"]
    assert len(re.findall('<t[hd] style="text-align:left', batch_to_html(made))) == 24
    assert seen(made, times=True).cells[4] == "seconds"
    assert seen(made, times=True).cells[9] == "0.5"


def test_one_response_is_a_row():
    assert seen(Batch([row("a", n=1)])).cells == ["n", "response", "finish", "tokens", "1", "a", "stop", ""]


def test_several_settings_have_no_single_heading():
    assert seen(Batch([row("a", config="x", n=1)])).cells[0] == ""
    assert seen(Batch([row("a", config="x"), row("a", n=1)])).cells[:2] == ["x", "1"]
    assert seen(Batch([row("a", config="x", n=1), row("a", config="x", n=2)])).cells[1] == "config=x, n=2"


@pytest.mark.parametrize("count", [2, 6])
def test_words_are_compared_with_a_chosen_base(count):
    made = Batch(row(f"the {word} sat", pet=word) for word in ("cat", "dog", "cow", "ant", "bat", "pig")[:count])
    page = batch_to_html(made.against("dog"))
    assert "the<del> dog</del> <ins>cat</ins> sat" in page
    assert ">the dog sat<" in page
    assert "<mark>" not in page
    assert "Compared with dog: underlined words are new, struck-out words are missing." in page
    assert made.base is None


def test_nothing_is_compared_with_an_empty_base_or_before_the_end():
    made = Batch([row("", pet="cat"), row("the dog", pet="dog")])
    assert "<ins>" not in batch_to_html(made.against(0))
    growing = Batch([row("the cat", pet="cat"), row("the dog", pet="dog")], is_complete=False)
    assert "<ins>" not in batch_to_html(growing.against(0))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_escaped_everywhere(text):
    made = Batch(
        [
            row("fine", **{text: text}),
            row(f"fine {text}", RuntimeError(text), finish=text, **{text: text}),
        ]
    )
    reader = seen(made, times=True)
    assert {tag.strip("/") for tag, _ in reader.tags} == {"table", "thead", "tbody", "tr", "th", "td", "mark", "div"}
    assert {name for _, names in reader.tags for name in names} <= {"style", "class", "scope"}
    assert reader.cells[0] == f"{' '.join(text.split())}: {' '.join(text.split())}"
    assert reader.cells[3] == f"fine {text}RuntimeError: {text}"
    assert text in reader.cells[5]
    compared = seen(made.against(0))
    assert {tag.strip("/") for tag, _ in compared.tags} <= {tag.strip("/") for tag, _ in reader.tags} | {
        "ins",
        "p",
        "small",
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_escaped_in_rows(text):
    made = Batch(
        [row("fine", **{text: text})] * 4 + [row(f"fine {text}", RuntimeError(text), finish=text, **{text: text})]
    )
    reader = seen(made, times=True)
    assert {tag.strip("/") for tag, _ in reader.tags} == {"table", "thead", "tbody", "tr", "th", "td", "mark", "div"}
    assert {name for _, names in reader.tags for name in names} <= {"style", "class"}
    assert reader.cells[0] == " ".join(text.split())
    assert reader.cells[26] == f"fine {text}RuntimeError: {text}"
    assert reader.cells[27] == text


@given(st.lists(st.text(st.characters(codec="utf-8") | st.sampled_from("<>&\"'/!-")), min_size=1, max_size=6))
def test_any_texts_are_unchanged_in_html(texts):
    texts = ["".join(sign for sign in text if sign.isprintable() or sign in "\n\t") for text in texts]
    reader = seen(batch(*texts))
    count = len(texts)
    shown = reader.cells[count : 2 * count] if 1 < count <= MAX_COLUMNS else reader.cells[5::4]
    assert shown == texts
    assert {tag.strip("/") for tag, _ in reader.tags} <= {"table", "thead", "tbody", "tr", "th", "td", "mark", "div"}


def test_batch_to_html_of_an_empty_batch_has_headings():
    assert seen(Batch([])).cells == ["", "response", "finish", "tokens"]


def test_batch_to_html_marks_nothing_while_more_is_coming():
    made = Batch([row("a b", n=1), row("a c", n=2)], is_complete=False)
    assert seen(made).marks == []
    assert seen(Batch(list(made))).marks == ["c"]


def test_batch_to_html_has_no_control_characters():
    form = batch_to_html(Batch([row("\x1b[2Jgone\x07\r\nnext\ttab \ud800", RuntimeError("a\x1b[2J\nb"), finish=None)]))
    assert form.encode()
    assert not set(form) & {"\x1b", "\x07", "\r"}
