"""The documentation: what it shows can be typed, its tables are fresh, and the site builds without a network."""

from __future__ import annotations

import ast
import html
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import azml_magics
from azml_magics import errors, langchain
from azml_magics.core import wire
from azml_magics.notebook import args
from azml_magics.notebook.options import CELL_OPTIONS
from azml_magics.notebook.remedies import REMEDIES, with_notebook_remedy
from azml_magics.notebook.verbs import VERBS
from docs.build_site import list_versions
from tests.test_remedies import class_codes, raise_sites
from tests.typing.documented_code import extract_code

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
PAGE = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
_FENCE = re.compile(r"^(?P<indent> *)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE)
_OTHER_MAGICS = ("load_ext", "reload_ext", "unload_ext", "config", "pip")


def text_of(path):
    return path.read_text(encoding="utf-8")


def snippets(path):
    """The Python blocks of a page, without the indentation of a list that they may stand in."""
    found = _FENCE.finditer(text_of(path))
    return [re.sub(rf"^{each['indent']}", "", each["code"], flags=re.MULTILINE) for each in found]


def compiled(source):
    """Compile what a cell may hold; a top-level await is one of those things."""
    return compile(source, "a snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def check_line_magic(line):
    """UsageError where IPython would hand us a line that the parsers refuse."""
    name, _, rest = line.removeprefix("%").partition(" ")
    if name != "azureml":
        assert name in _OTHER_MAGICS, line
    elif rest.lstrip().startswith(("-", "$")):
        args.parse_cell_line(rest)
    else:
        verb, words = args.split_verb(rest)
        if verb != "ask":
            args.parser_of(verb).parse(args.split_words(words))


def check_snippet(code):
    """Each snippet is one cell: a prompt, or Python with line magics in it."""
    first, _, body = code.partition("\n")
    if first.startswith("%%azureml"):
        args.parse_cell_line(first.removeprefix("%%azureml"))
        assert body.strip(), "a prompt cell without a prompt"
        return
    python = []
    for line in code.replace("\\\n", " ").split("\n"):
        if line.startswith("%"):
            check_line_magic(line.partition("  # ")[0].rstrip())
        else:
            python.append(line)
    compiled("\n".join(python))


# ---- what it shows can be typed --------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [pytest.param(code, id=path.name) for path in PAGES for code in snippets(path)])
def test_every_snippet_is_a_valid_cell(code):
    check_snippet(code)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("%%azureml --swep temperature=0,1\nHi", errors.UsageError),
        ("%azureml sve mine", errors.UsageError),
        ("x = 1\n%azureml save mine --ulr https://x\ny = 2", errors.UsageError),
        ("for x in y\n    pass", SyntaxError),
        ("%%azureml -q\n\n", AssertionError),
    ],
)
def test_invalid_snippet_is_detected(code, error):
    with pytest.raises(error):
        check_snippet(code)


@PAGE
def test_every_verb_and_option_in_the_text_exists(path):
    text = text_of(path)
    assert set(re.findall(r"`%azureml ([a-z][a-z-]*)", text)) <= {*VERBS}
    flags = {
        flag
        for options in (CELL_OPTIONS, *(verb.options for verb in VERBS.values()))
        for each in options
        for flag in each[0]
    }
    for span in re.findall(r"`(-{1,2}[A-Za-z][\w-]*)(?=[ `=])[^`]*`", text):
        assert span in flags | {"--lab"}, f"{path.name}: {span}"


@PAGE
def test_every_python_name_in_the_text_exists(path):
    for dotted in re.findall(r"`(azml_magics(?:\.\w+)+)", text_of(path)):
        module, attributes = azml_magics, dotted.split(".")[1:]
        for position, name in enumerate(attributes, 2):
            if not hasattr(module, name):
                importlib.import_module(".".join(dotted.split(".")[:position]))
            module = getattr(module, name)


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("sign in", "how-to/sign-in.md"),
        ("managed identity", "how-to/sign-in.md"),
        ("service principal", "how-to/sign-in.md"),
        ("proxy", "how-to/proxies-and-certificates.md"),
        ("certificates", "how-to/proxies-and-certificates.md"),
        ("gateways", "how-to/proxies-and-certificates.md"),
        ("uninstall", "how-to/install.md"),
        ("migrate from langchain-community", "how-to/migrate-from-langchain-community.md"),
    ],
)
def test_headings_have_the_words_that_people_search_for(words, page):
    headings = re.findall(r"^#+ (.+)$", text_of(DOCS / page), re.MULTILINE)
    assert any(words in heading.lower() for heading in headings), headings


def test_every_error_has_a_row():
    rows = re.findall(r"^\| `(\w+)` \|", text_of(DOCS / "how-to/errors.md"), re.MULTILINE)
    assert sorted(rows) == errors.__all__


def test_quoted_error_is_the_real_one():
    quoted = next(
        line for line in text_of(DOCS / "how-to/errors.md").split("\n") if line.startswith("UndefinedVariableError: ")
    )
    error = with_notebook_remedy(errors.UndefinedVariableError.of("citty", ["city"]))
    assert error._render_traceback_() == [quoted]


def test_every_public_name_is_in_the_reference():
    reference = text_of(DOCS / "reference/python.md") + text_of(DOCS / "how-to/errors.md")
    of_ipython = {"__version__", "load_ipython_extension", "unload_ipython_extension"}
    for name in {*azml_magics.__all__, *langchain.__all__} - of_ipython:
        assert re.search(rf"\b{name}\b", reference), name


def test_named_extras_exist():
    project = text_of(ROOT / "pyproject.toml").partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", text_of(DOCS / "how-to/install.md"), re.MULTILINE))
    assert named
    assert named <= set(re.findall(r"^(\w+) = \[", project, re.MULTILINE))


def test_examples_of_the_python_reference_run(tmp_path):
    program = tmp_path / "examples.py"
    program.write_text(extract_code(DOCS / "reference" / "python.md"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_section_of_the_python_reference_has_an_example():
    _, *sections = re.split(r"^## ", text_of(DOCS / "reference" / "python.md"), flags=re.MULTILINE)
    without = [section.partition("\n")[0] for section in sections if "```python" not in section]
    assert set(without) <= {"Rate limits", "Errors"}


# ---- the site --------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a page of the site refers to, what it loads, and the places in it that can be referred to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        self.loads += [given[name] for name in ("src", "srcset", "data") if given.get(name)]
        if tag == "link" and given.get("rel") != "canonical":
            self.loads.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built as strictly as CI does, every proxy leading nowhere."""
    for needed in ("sphinx", "myst_nb", "pydata_sphinx_theme"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip('Sphinx is not installed: pip install -e ".[docs]"')
    folder = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, str(DOCS / "build_site.py"), str(folder), "--as", "0.2"]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **nowhere}, capture_output=True, text=True, timeout=280
    )
    assert built.returncode == 0, f"{shlex.join(command)}\n{built.stdout}{built.stderr}"
    return folder / "0.2"


@pytest.fixture(scope="module")
def pages(site):
    return {
        path.relative_to(site).as_posix(): Page(text_of(path))
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }


def test_every_page_and_tutorial_is_built(pages):
    assert {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")} <= set(pages)
    assert {f"tutorials/{path.stem}.html" for path in (ROOT / "notebooks").glob("*.ipynb")} <= set(pages)


@pytest.fixture(scope="module")
def search_index(site):
    """What the site's search asks: for every stem, the pages that have it in a text or a heading."""
    return json.loads(text_of(site / "searchindex.js").removeprefix("Search.setIndex(").removesuffix(")"))


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("migrate", "how-to/migrate-from-langchain-community"),
        ("sign in", "how-to/sign-in"),
        ("managed identity", "how-to/sign-in"),
        ("service principal", "how-to/sign-in"),
        ("proxy", "how-to/proxies-and-certificates"),
        ("certificate", "how-to/proxies-and-certificates"),
        ("uninstall", "how-to/install"),
        ("Colab", "how-to/install"),
        ("rate-limit", "reference/errors"),
        ("--each", "reference/commands"),
    ],
)
def test_search_finds_the_page(words, page, search_index):
    from sphinx.search.en import SearchEnglish

    stem = SearchEnglish({}).stem
    for word in re.findall(r"\w+", words.lower()):
        if word not in SearchEnglish.stopwords:
            found = [search_index[place].get(stem(word), []) for place in ("terms", "titleterms")]
            pages = {
                search_index["docnames"][n] for each in found for n in (each if isinstance(each, list) else [each])
            }
            assert page in pages, f"{word}: {pages}"


@pytest.mark.parametrize("word", ["migrate", "sign in", "proxies", "certificates", "uninstall", "colab"])
def test_search_finds_a_heading(word, search_index):
    assert any(word in title.lower() for title in search_index["alltitles"]), word


def test_site_lists_its_versions_newest_first(tmp_path):
    for name in ("0.2", "0.10", "latest"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "objects.inv").touch()
    assert list_versions(tmp_path) == ["latest", "0.10", "0.2"]
    assert 'href="0.10/index.html"' in text_of(tmp_path / "index.html")
    assert re.findall(r'href="([^"]+)"', text_of(tmp_path / "versions.html")) == [
        "latest/index.html",
        "0.10/index.html",
        "0.2/index.html",
    ]


def test_search_leads_from_an_error_code_to_its_section(search_index):
    page = search_index["docnames"].index("reference/errors")
    for code in ("rate-limit", "no-formatter", "key-variable-not-set"):
        ((found, _, is_main),) = search_index["indexentries"][code]
        assert (found, is_main) == (page, True)  # what is not the main place of a word comes last


def test_tables_match_the_parsers(pages, site):
    commands = html.unescape(re.sub(r"<[^>]+>", "", text_of(site / "reference/commands.html")))
    for usage, means in [(verb.usage, verb.help) for verb in VERBS.values()]:
        assert usage in commands
        assert means in commands
    for flags, _ in CELL_OPTIONS:
        assert all(flag in commands for flag in flags if flag.startswith("-"))
    assert all(wire.get(name).description in commands for name in wire.names())


def test_every_error_code_has_its_class_meaning_and_remedy(site):
    rows = re.findall(r"<tr class=.*?</tr>", text_of(site / "reference" / "errors.html"), re.DOTALL)
    cells = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)] for row in rows
    ]
    named = {code for code, cause, remedy in filter(None, cells) if cause and remedy}
    given = {code for _, code, _ in raise_sites() if code} | set(class_codes().values()) | set(REMEDIES)
    assert given <= named, "a code without class, cause or remedy: docs/extensions/error_codes.py, ADDED"
    assert all("{" not in cause for _, cause, _ in filter(None, cells) if "{name}" not in cause)


def test_pages_load_nothing_from_other_hosts(pages, site):
    for name, page in pages.items():
        for target in page.loads:
            assert not urlsplit(target).netloc, f"{name} loads {target}"
            assert target.startswith("data:") or not urlsplit(target).scheme, f"{name} loads {target}"
    for sheet in site.rglob("*.css"):
        fetched = re.findall(r"(?:@import\s*[\"']?|url\(\s*[\"']?)(https?:|//)", text_of(sheet))
        assert not fetched, f"{sheet.name} fetches something"


def test_links_and_anchors_resolve(pages, site):
    for name, page in pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            target = site / parts.path.lstrip("/") if parts.path.startswith("/") else target.resolve()
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{name}: {link}"
            if parts.fragment and target.suffix == ".html":
                known = pages[target.relative_to(site.resolve()).as_posix()].ids
                assert unquote(parts.fragment) in known, f"{name}: {link}"


def test_pages_contain_no_leftover_markup(pages, site):
    for name in pages:
        text = text_of(site / name)
        assert "<!-- verbs" not in text, name
        assert "<!-- tutorials" not in text, name
        assert "{eval-rst}" not in text, name
        assert not re.search(r"<td>(?:<p>)?<code[^>]*>[^/]*\\\|", text), name
        assert not re.search(r"<p>\s*(?::::|\|---)", text), name
