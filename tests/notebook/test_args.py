"""Lines of %azureml and %%azureml become options, or an error of one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import UsageError
from azml_magics.core.prompt.values import parse_value
from azml_magics.notebook import args
from azml_magics.notebook.parsed_options import CellOptions
from azml_magics.notebook.verbs import VERBS, options_of


def refused(line, verb=None):
    with pytest.raises(UsageError) as caught:
        args.parser_of(verb).parse(args.split_words(line))
    return str(caught.value)


def test_empty_line_gives_default_options():
    assert args.parse_cell_line("") == CellOptions()


def test_every_option_is_parsed():
    read = args.parse_cell_line(
        "prod -p temperature=0.2 -p stop='[\"x\"]' -k '{\"seed\": 1}' -v a=b -t $t -u https://x.y/score --type dedicated "
        '--deployment blue -f gpt2 --key env:K --timeout 2.5 --retries 0 -s "be nice" --model m --api-version 1 '
        "-F json -o out -q --no-stream --dry-run --save kept"
    )
    assert read == CellOptions(
        config="prod",
        set=("temperature=0.2", 'stop=["x"]'),
        kwargs='{"seed": 1}',
        var=("a=b",),
        template="$t",
        url="https://x.y/score",
        type="dedicated",
        deployment="blue",
        formatter="gpt2",
        key="env:K",
        timeout=2.5,
        retries=0,
        system="be nice",
        model="m",
        api_version="1",
        format="json",
        output="out",
        quiet=True,
        no_stream=True,
        dry_run=True,
        save="kept",
    )


@pytest.mark.parametrize("line", ["-s 'be nice' prod", 'prod --system "be nice"', "prod --system='be nice'"])
def test_quoted_text_is_one_word_before_and_after_config(line):
    read = args.parse_cell_line(line)
    assert (read.config, read.system) == ("prod", "be nice")


def test_abbreviated_options_are_refused():
    assert "no option --sys" in refused("--sys hello")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("--systm x", "Did you mean '--system'?"),
        ("--formater gpt2", "Did you mean '--formatter'?"),
        ("--no_stream", "Did you mean '--no-stream'?"),
        ("--temprature 3", "Model kwargs follow -p: -p temperature=…."),
        ("--max-tokens 3", "Model kwargs follow -p: -p max_tokens=…."),
        ("--top_p 0.1", "Model kwargs follow -p: -p top_p=…."),
        ("-F markdwon", "Did you mean 'markdown'?"),
        ("--type serverles", "Did you mean 'serverless'?"),
    ],
)
def test_mistyped_option_or_choice_suggests_closest(line, hint):
    assert hint in refused(line)


def test_unlike_choice_lists_all_choices():
    assert refused("-F pdf") == "--format takes markdown, text, json, code"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--timeout soon", "--timeout takes a number, not 'soon'"),
        ("--retries 1.5", "--retries takes a whole number, not '1.5'"),
        ("-s", "argument -s/--system: expected one argument"),
    ],
)
def test_wrong_number_names_the_right_kind(line, said):
    assert said in refused(line)


@pytest.mark.parametrize("line", ['-s "be nice', "-s 'be nice", "prod it's"])
def test_unclosed_quote_is_refused(line):
    assert refused(line).startswith("The line cannot be read: a quote is not closed.")


def test_prompt_on_the_line_is_refused_with_its_place():
    assert refused("demo Write a haiku").endswith("The prompt goes below the line.")


def test_missing_words_are_named_without_optional_ones():
    assert "%azureml save: it needs NAME." in refused("", "save")
    assert "%azureml rename: it needs NAME and NEW." in refused("", "rename")


def test_error_names_the_help_of_the_verb():
    assert "`%azureml help export`" in refused("x --forse", "export")
    assert "`%azureml help`" in refused("--xyzzy")


@pytest.mark.parametrize(
    ("line", "verb", "rest"),
    [
        ("", "", ""),
        ("   ", "", ""),
        ("list", "list", ""),
        ("use\tdemo", "use", "demo"),
        ("  show   prod ", "show", "prod"),
        ("ask What's  new, {x}?", "ask", "What's  new, {x}?"),
    ],
)
def test_first_word_is_the_verb(line, verb, rest):
    assert args.split_verb(line) == (verb, rest)


@pytest.mark.parametrize(("word", "near"), [("lst", "list"), ("exprt", "export"), ("hlep", "help"), ("Save", "save")])
def test_mistyped_verb_suggests_closest_and_lists_all(word, near):
    with pytest.raises(UsageError) as caught:
        args.split_verb(word)
    assert f"no verb {word!r}. Did you mean {near!r}? Verbs: demo, discover, save," in str(caught.value)


def test_prompt_instead_of_verb_is_refused_with_its_place():
    with pytest.raises(UsageError, match="below %%azureml, or after %azureml ask"):
        args.split_verb("What is MLflow?")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.2", 0.2),
        ("30", 30),
        ("true", True),
        ("null", None),
        ('["a", "b"]', ["a", "b"]),
        ('"7"', "7"),
        ("hello world", "hello world"),
        ("", ""),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_value_is_json_or_else_text(text, value):
    assert parse_value(text) == value


def test_pair_splits_at_first_equals_sign():
    assert args.split_pair("stop=a=b", "-p") == ("stop", "a=b")


@pytest.mark.parametrize("text", ["temperature", "=0.2", ""])
def test_incomplete_pair_shows_its_form(text):
    with pytest.raises(UsageError, match=r"Write -p temperature=0\.2"):
        args.split_pair(text, "-p")


def read_or_refused(verb, line):
    try:
        return args.parser_of(verb).parse(args.split_words(line))
    except UsageError as error:
        return str(error)


@given(st.none() | st.sampled_from(sorted(VERBS)), st.text(max_size=80))
def test_any_line_is_parsed_or_refused_in_one_line(verb, line):
    got = read_or_refused(verb, line)
    assert isinstance(got, dict) or "\n" not in got


@given(st.text())
def test_quoted_text_is_unchanged(text):
    quoted = "'" + text.replace("'", "'\"'\"'") + "'"
    assert args.parse_cell_line(f"--system={quoted}").system == text


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_every_option_has_help_and_unique_name(verb):
    flags = [flag for names, _ in options_of(verb) for flag in names]
    assert len(flags) == len(set(flags))
    for names, keywords in options_of(verb):
        assert keywords.get("help") or not names[0].startswith("-"), names
