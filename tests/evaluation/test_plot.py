"""The plot of an evaluation: an SVG that can be read in both themes and by a screen reader."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.errors import UsageError
from azml_magics.evaluation.plot import Plot, nice_ticks

from .test_sections import SUMMARIES

SVG = "{http://www.w3.org/2000/svg}"


def test_plot_shows_accuracy_against_cost_and_latency():
    plot = Plot.of(SUMMARIES)
    root = ET.fromstring(plot.to_svg())
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"accuracy", "cost of 1,000 rows", "median latency (s)"} <= set(texts)
    assert "small: 0.800 (0.68 to 0.88), 0.021 per 1,000 rows, 0.40 s" in texts
    assert len(list(root.iter(f"{SVG}circle"))) == 2 * 2 + 2


def test_screen_reader_gets_a_title_and_every_figure():
    root = ET.fromstring(Plot.of(SUMMARIES).to_svg())
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Accuracy of 2 settings against cost of 1,000 rows and median latency (s)"
    assert root[1].tag == f"{SVG}desc"
    assert "large: 0.900" in root[1].text


def test_text_takes_the_colour_of_the_page_and_a_file_has_paper():
    plot = Plot.of(SUMMARIES)
    bundle = plot._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml"}
    assert 'fill="currentColor"' in plot.to_svg()
    assert '<rect width="100%" height="100%" fill="#fff"/>' in bundle["image/svg+xml"]
    ET.fromstring(bundle["image/svg+xml"])
    assert bundle["text/plain"].splitlines()[1].startswith("small: 0.800 (0.68 to 0.88)")


def test_without_prices_there_is_latency_alone():
    free = [replace(summary, cost=None) for summary in SUMMARIES]
    assert "cost" not in Plot.of(free).to_svg()
    timeless = [replace(summary, latency_p50=None) for summary in free]
    assert "setting" in Plot.of(timeless).to_svg()


def test_unknown_score_names_the_known_ones():
    with pytest.raises(UsageError, match="There is no score 'acuracy' to plot"):
        Plot.of(SUMMARIES, "acuracy")
    assert Plot.of(SUMMARIES, "accuracy").points == Plot.of(SUMMARIES).points


def test_matplotlib_draws_the_same_points():
    pytest.importorskip("matplotlib", reason="optional: pip install matplotlib")
    figure = Plot.of(SUMMARIES).to_matplotlib()
    assert [axes.get_xlabel() for axes in figure.axes] == ["cost of 1,000 rows", "median latency (s)"]


@given(st.floats(0, 1e9, allow_subnormal=False), st.floats(1e-9, 1e9))
def test_ticks_are_few_and_cover_the_axis(low, size):
    high = low + max(size, low * 1e-3)
    ticks = nice_ticks(low, high)
    assert 1 <= len(ticks) <= 8
    assert ticks[-1] >= high - (high - low) * 1e-2
    room = (high - low) * 1e-6
    assert all(low - room <= tick <= high + room for tick in nice_ticks(low, high, inside=True))


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.none() | st.floats(0, 1e6), st.none() | st.floats(0, 1e5), st.text(max_size=10)),
        min_size=1,
        max_size=6,
    )
)
def test_any_figures_make_valid_svg(figures):
    summaries = []
    for mean, cost, latency, label in figures:
        setting = replace(SUMMARIES[0].setting, differences={"config": label})
        scores = {"right": replace(SUMMARIES[0].scores["right"], mean=mean)}
        summaries.append(replace(SUMMARIES[0], setting=setting, scores=scores, cost=cost, latency_p50=latency))
    ET.fromstring(Plot.of(summaries).to_svg())
