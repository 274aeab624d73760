"""Formulas, dollars and TeX commands in the prose of a response.

Every Markdown reader sees the same formulas, and dollars are money. pandoc also reads TeX commands and attributes in
braces; here it reads neither: a Windows path is no command, and a response cannot read files into a PDF or put a
handler on a link.
"""

from __future__ import annotations

import re

_ENVIRONMENTS = (
    "align|alignat|aligned|alignedat|array|cases|CD|displaymath|eqnarray|equation|flalign|gather|gathered|math|matrix"
    "|multline|pmatrix|bmatrix|Bmatrix|smallmatrix|split|subequations|vmatrix|Vmatrix"
)
_ATTRIBUTES = re.compile(r"\{(?=\s*(?:[#.=-]|[\w:-]+\s*=))")
_PIECES = re.compile(
    r"(?P<kept>`+[^`\n]*`+|\]\([^)\s]*\)?|https?://[^\s<>`{]+|\\\$|\\{2,}[(\[)\]])"
    r"|\\\[(?P<block>[^$]{1,2000}?)\\\]|\\\((?P<inline>[^$\n]{1,1000}?)\\\)"
    r"|(?P<math>\$\$.{1,2000}?\$\$|(?<![\\$\w])\$(?=[^\s$])[^$\n]{1,1000}?(?<![\s\\])\$(?![\d$])"
    rf"|\\begin\{{(?P<name>(?:{_ENVIRONMENTS})\*?)\}}.{{1,2000}}?\\end\{{(?P=name)\}})"
    r"|(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<command>\\(?=(?P<word>[A-Za-z]+)))"
    rf"|(?P<attributes>{_ATTRIBUTES.pattern})"
    r"|(?P<money>\$)",
    re.DOTALL,
)
_ACTIVE_NAMES = (  # read or write files, load code, or give such a command another name
    "input|include|includegraphics|includeonly|includepdf|subfile|import|verbatiminput|lstinputlisting|VerbatimInput"
    "|inputminted|openin|openout|read|readline|write|immediate|special|directlua|latelua|luaexec|pdfximage|file"
    "|usepackage|RequirePackage|documentclass|csname|expandafter|catcode|def|edef|gdef|xdef|let|futurelet|newcommand"
    "|renewcommand|providecommand|DeclareMathOperator|newenvironment|renewenvironment|makeatletter|toks"
)
_ACTIVE = re.compile(rf"(?<!\\)(?P<pairs>(?:\\\\)*)\\(?=(?:{_ACTIVE_NAMES})|begin)")
_ACTIVE_IN_MATH = re.compile(rf"\\(?:{_ACTIVE_NAMES})(?![A-Za-z])|\\begin(?!\s*\{{(?:{_ENVIRONMENTS})\*?\}})")
_LINK = re.compile(r"\\href(?!\s*\{\s*https?:)")  # MathJax turns it into links
_CARETS = re.compile(r"\^(?=\^)")  # ^^5c is a backslash for TeX
_METADATA = re.compile(r"(\A|\n[ \t]*\n)---(?=[ \t]*\n[ \t]*\S)")  # a block of YAML for pandoc, which shows none of it
_IN_CODE = re.compile(rf"{_ATTRIBUTES.pattern}|\\(?:(?:{_ACTIVE_NAMES})|begin)")


def mark_formulas(text: str, money: str, *, is_prose: bool = True) -> str:
    """Return prose with dollars around its formulas, and TeX commands and attributes that are text.

    Args:
        text: Markdown without fenced code.
        money: Stands for a dollar that is money, if there are several.
        is_prose: Whether code is known for what it is. If not, only commands that reach outside become text.
    """
    text = _LINK.sub(r"\\text", _METADATA.sub(r"\1***", text))
    if not any(sign in text for sign in "$\\{"):
        return text
    has_several = sum(found["money"] is not None for found in _PIECES.finditer(text)) > 1

    def replace(found: re.Match[str]) -> str:
        if found["inline"]:
            return f"${_tame(found['inline'].strip())}$"
        if found["block"]:
            return f"$${_tame(found['block'])}$$"
        if found["math"]:
            return _tame(found["math"])
        if found["command"]:
            return "\\\\" if is_prose or _ACTIVE.match("\\" + found["word"]) else "\\"
        if found["attributes"]:
            return "\\{"
        if found["money"]:
            return money if has_several else "$"
        kept = _escape_active(found[0])
        return _ATTRIBUTES.sub(r"\\{", kept) if kept.startswith("](") else kept

    return _PIECES.sub(replace, text)


def is_risky_code(code: str) -> bool:
    """Return whether a code span has what pandoc would act on, if it were none."""
    return _IN_CODE.search(code) is not None


def plain_info(info: str) -> str:
    """Return the language that a fence's line names, without attributes, which pandoc puts into its page."""
    if "{" not in info and "=" not in info:
        return info
    word = re.search(r"[\w+#-]+", info)
    return word[0] if word else ""


def _tame(math: str) -> str:
    """The formula without commands that reach outside of it; MathJax and TeX show the rest."""
    return _CARETS.sub("^ ", _ACTIVE_IN_MATH.sub(r"\\text", math))


def _escape_active(piece: str) -> str:
    """Code, a link or a URL, in which no such command works even if a reader sees none of them."""
    return _ACTIVE.sub(r"\g<pairs>\\\\", piece)
