"""What Tab offers: options, choices, verbs, names, variables; and nothing changed anywhere else."""

from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter

from azml_magics.notebook.options import CELL_OPTIONS
from azml_magics.notebook.verbs import VERBS, options_of


@pytest.fixture
def tab(asking):
    """The completions of a cell at the mark |, with what of the cell they replace."""

    def press(source):
        cursor = source.index("|")
        text = source.replace("|", "", 1)
        with provisionalcompleter():
            found = list(asking.shell.Completer.completions(text, cursor))
        return [(text[c.start : c.end], c.text, c.type.partition(":")[0]) for c in found]

    return press


@pytest.fixture
def helps(asking):
    """Each completion at the mark | with what the frontend shows beside it."""

    def press(source):
        with provisionalcompleter():
            text, cursor = source.replace("|", "", 1), source.index("|")
            return {c.text: c.type for c in asking.shell.Completer.completions(text, cursor)}

    return press


@pytest.fixture
def texts(tab):
    return lambda source: [text for _, text, _ in tab(source)]


def test_every_option_of_a_cell(tab):
    flags = [flag for flags, _ in CELL_OPTIONS for flag in flags if flag.startswith("-")]
    assert tab("%%azureml -|\n") == [("-", flag, "option") for flag in flags]
    assert tab("%%azureml main --fo|") == [("--fo", "--formatter", "option"), ("--fo", "--format", "option")]


@pytest.mark.parametrize("verb", [v for v in VERBS if any(flags[-1].startswith("--") for flags, _ in options_of(v))])
def test_every_option_of_a_verb(texts, verb):
    flags = [flag for flags, _ in options_of(verb) for flag in flags if flag.startswith("--")]
    assert texts(f"%azureml {verb} --|") == flags


def test_every_verb(tab, texts):
    assert tab("%azureml |") == [("", verb, "verb") for verb in VERBS]
    assert texts("%azureml ex|") == ["export"]
    assert texts("%azureml help de|") == [verb for verb in VERBS if verb.startswith("de")]


def test_choices(texts):
    assert texts("%%azureml -F |") == ["markdown", "text", "json", "code"]
    assert texts("%%azureml --type s|") == ["serverless"]


def test_config_names(asking, texts):
    asking.ok("%azureml save second --from main")
    assert texts("%%azureml |") == ["main", "second"]
    assert texts("%%azureml s|") == ["second"]
    for verb in ("use", "show", "delete", "test", "rename", "export"):
        assert texts(f"%azureml {verb} m|") == ["main"]
    assert texts("%azureml save third --from |") == ["main", "second"]


def test_names_of_kept_configs(asking, texts):
    asking.ok("%azureml save gone --url https://x.y/score -f gpt2 --keep")
    asking.ok("%azureml delete gone -f")
    assert texts("%azureml forget |") == ["gone"]
    assert texts("%azureml keep |") == ["main"]


def test_formatter_names_include_registered_ones(asking, texts):
    import azml_magics

    class Mine:
        def format_request_payload(self, prompt, model_kwargs): ...
        def format_response_payload(self, output): ...

    azml_magics.register_formatter("mine", Mine())
    assert texts("%%azureml -f m|") == ["mistral-chat", "mlflow", "mine"]
    assert "gpt2" in texts("%%azureml --formatter |")


def test_kwargs_of_formatter_on_line_or_config(texts):
    assert "max_tokens=" in texts("%%azureml -p |")
    assert "max_new_tokens=" in texts("%%azureml -f gpt2 -p |")
    assert "max_tokens=" not in texts("%%azureml -f gpt2 -p |")
    assert texts("%%azureml -p temp|") == ["temperature="]
    assert texts("%azureml save prod -f gpt2 do_|") == ["do_sample="]


def test_key_forms_and_environment_variables(texts, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "v4lue")
    forms = texts("%%azureml --key |")
    assert {"env:", "keyring:", "entra", "entra:cli", "azure-key", "keyvault:", "ask", "none"} <= {*forms}
    assert texts("%azureml key |") == ["set", "list", "delete"]
    assert texts("%%azureml --key env:MY|") == ["env:MY_API_KEY"]
    assert "v4lue" not in str(texts("%%azureml --key env:|"))


def test_variables_in_the_body(asking, tab):
    asking.vars.update(river="x", rivet=1, _hidden=2)
    assert tab("%%azureml\nTell me about {riv|} and") == [("riv", "river", "variable"), ("riv", "rivet", "variable")]
    everything = [text for _, text, _ in tab("%%azureml\nfirst line\nsecond {|")]
    assert set(everything) >= {"river", "rivet"}
    assert not {"In", "Out", "exit", "quit", "get_ipython", "_hidden"} & set(everything)


def test_double_braces_are_not_completed(asking, tab):
    asking.vars["river_name"] = "x"
    assert not [kind for _, _, kind in tab("%%azureml\nliteral {{river_n|") if kind == "variable"]


def test_dollar_offers_variables(asking, texts):
    asking.vars.update(model=1, mode=2)
    for line in ("%%azureml $mod|", "%%azureml -f $mod|", "%%azureml -k $mod|", "%%azureml -t $mod|"):
        assert texts(line) == ["$model", "$mode"]
    assert texts("%%azureml -t n|") == ["none"]


def test_line_magic_anywhere_in_a_cell(texts):
    assert texts("x = 1\n%azureml ren|") == ["rename"]
    assert texts("x = 1\nif x:\n    %azureml export --l|") == ["--langchain"]


def test_line_of_options_is_completed_as_a_cell(texts):
    assert texts("%azureml --dr|") == ["--dry-run"]
    assert texts("%azureml -F j|") == ["json"]


@pytest.mark.parametrize(
    "source", ["impor|", "x = 1\nx.bit_le|", "%lo|", "%%ti|", "# %azureml us\npri|", "print('%azureml |"]
)
def test_other_cells_are_completed_by_ipython(asking, source):
    def completed():
        text, cursor = source.replace("|", ""), source.index("|")
        with provisionalcompleter():
            return [(c.start, c.end, c.text) for c in asking.shell.Completer.completions(text, cursor)]

    with_us = completed()
    asking.shell.run_line_magic("unload_ext", "azml_magics")
    without = completed()
    ours = {"%azureml", "%%azureml"}
    assert [c for c in with_us if c[2] not in ours] == without


@pytest.mark.parametrize("source", ["%azur|", "%%azur|"])
def test_ipython_offers_the_magic_itself(texts, source):
    assert source.rstrip("|") + "eml" in texts(source)


@pytest.mark.parametrize(
    "source",
    [
        "%%azureml -f xyzzy -p |",
        "%%azureml 'un|",
        "%azureml xyzzy |",
        "%azureml ask What is {|",
        "%%azureml -p temperature=|",
    ],
)
def test_odd_lines_raise_nothing(texts, capsys, source):
    texts(source)
    assert capsys.readouterr().err == ""  # where IPython writes what a matcher raises


def test_reloading_does_not_double_candidates(asking, texts):
    before = len(asking.shell.Completer.custom_matchers)
    asking.shell.run_line_magic("reload_ext", "azml_magics")
    assert len(asking.shell.Completer.custom_matchers) == before
    assert texts("%azureml ver|") == ["version"]


# ---- wherever the magic stands ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "x = %azureml use m|",
        "x, y = %azureml use m|",
        "%time %azureml use m|",
        "%%time\n%%azureml m|\n",
        "# with the small one\n%%azureml m|",
        "%%capture out\n# quietly\n%%azureml m|",
        "%%azureml \\\n m|",
        "%%azureml -q \\\n -p a=1 \\\nm|\nHi",
        "%azureml use m|  # the main one",
    ],
)
def test_completion_works_wherever_the_magic_stands(texts, source):
    assert texts(source) == ["main"]


def test_completion_works_under_an_alias(asking, texts):
    asking.ok("%alias_magic ask azureml")
    assert texts("%%ask --compa|") == ["--compare"]
    assert texts("%ask use m|") == ["main"]
    asking.vars["topic"] = "tea"
    assert texts("%%ask\n{top|") == ["topic"]


def test_prompt_below_other_magics_has_variables(asking, texts):
    asking.vars["topic"] = "tea"
    assert texts("%%time\n%%azureml -q\nAbout {top|") == ["topic"]


@pytest.mark.parametrize(
    "source", ["%azureml ask os|", "%azureml save x KEY=o|", "%%azureml -o o|", "%azureml list # o|"]
)
def test_nothing_of_python_is_offered_without_a_completion_of_ours(texts, source):
    assert set(texts(source)) <= {"", source.replace("|", "").split()[-1]}


def test_files_are_offered_where_a_file_is_wanted(asking, texts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "my rows.csv").write_text("a\n1\n")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "prod.json").write_text("{}")
    asking.vars["rows"] = []
    assert texts("%azureml import c|") == ["configs/"]
    assert texts("%azureml import configs/|") == ["configs/prod.json"]
    assert texts("%%azureml --each r|") == ["rows.csv"]
    assert texts("%%azureml --each m|") == ["my\\ rows.csv"]
    assert texts("%%azureml --each $r|") == ["$rows"]


# ---- what each completion does


def test_options_and_verbs_have_their_help(helps):
    assert helps("%%azureml --dry|") == {"--dry-run": "option: show the request and send nothing"}
    assert helps("%azureml history --se|") == {"--search": "option: only those with TEXT in prompt or response"}
    assert helps("%azureml ren|") == {"rename": "verb: give a config another name"}
    assert all(": " in text for text in helps("%azureml |").values())
    assert all(": " in text for text in helps("%%azureml -|").values())


def test_configs_have_their_host(asking, helps):
    asking.ok("%azureml save prod --url https://ep.eastus.inference.ml.azure.com/score -f gpt2")
    host = "config: ep.eastus.inference.ml.azure.com"
    assert helps("%%azureml pr|") == {"prod": host}
    assert helps("%azureml use pr|") == {"prod": host}
    assert helps("%%azureml --compare main,pr|") == {"main,prod": host}


def test_formatters_have_their_description(asking, helps):
    import azml_magics

    class Mine:
        """Speaks to my own server.

        At length.
        """

        def format_request_payload(self, prompt, model_kwargs): ...
        def format_response_payload(self, output): ...

    azml_magics.register_formatter("mine", Mine())
    assert helps("%%azureml -f mine|") == {"mine": "formatter: Speaks to my own server."}
    assert helps("%%azureml -f oss|") == {"oss": "formatter: an older name of gpt2"}
    assert helps("%%azureml -f tgi|")["tgi"].startswith("formatter: Hugging Face Text Generation Inference")


def test_kwargs_have_their_type_and_range(helps):
    assert helps("%%azureml -p temp|")["temperature="].startswith("kwarg: number 0 to 2, ")
    assert helps("%%azureml -p max_tok|")["max_tokens="].startswith("kwarg: integer 1 to ")


def test_variables_and_keys_say_what_they_are(asking, helps):
    asking.vars.update(topic="tea", rows=[1])
    assert helps("%%azureml --each $ro|") == {"$rows": "variable: list"}
    assert helps("%%azureml\n{top|") == {"topic": "variable: str"}
    assert helps("%%azureml --key as|") == {"ask": "key: a hidden prompt, for this session"}


def test_help_beside_a_completion_is_one_short_printable_line(asking, helps):
    for source in ("%%azureml -|", "%azureml |", "%%azureml -f |", "%%azureml -p |", "%azureml save x -|"):
        for text in helps(source).values():
            assert len(text) < 100
            assert text.isprintable()
