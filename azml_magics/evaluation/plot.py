"""Plot: accuracy with its interval against cost and against latency, as SVG without a dependency."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import MissingPackageError, UsageError
from ..core.install_hint import package_command
from ..core.pricing import format_cost
from ..core.text import did_you_mean, one_line, printable
from .number_cells import format_figure
from .outcome import RIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .summary import SettingSummary

_WIDTH, _HEIGHT, _GAP = 300, 200, 70  # pixels of a panel, and between two
_LEFT, _TOP, _BOTTOM = 56, 26, 44
_LINE = 18
_DOT = "#2b6cb0"  # is told from a white and from a black background; so is text in the reader's own colour
_TICKS = 4
_LEAST = 1e-12  # of a horizontal axis
_MAX_LABEL = 90  # characters


class Point(NamedTuple):
    """A setting in a plot.

    Attributes:
        number: Its number in the legend, from 1.
        label: The setting.
        y, low, high: The figure and its interval.
        cost: The cost of a thousand rows, None if it is unknown.
        latency: The median latency in seconds, None without responses.
    """

    number: int
    label: str
    y: float
    low: float
    high: float
    cost: float | None
    latency: float | None


@dataclass(frozen=True)
class Plot:
    """A plot of an evaluation's settings. Notebooks show it as SVG; `to_svg()` returns it.

    Attributes:
        name: What is on the vertical axis.
        points: The settings.
        is_share: Whether the figure lies between 0 and 1.
    """

    name: str
    points: Sequence[Point]
    is_share: bool = True

    @classmethod
    def of(cls, summaries: Sequence[SettingSummary], score: str = RIGHT) -> Plot:
        """Return the plot of a score.

        Args:
            summaries: The figures of the settings.
            score: The name of the score; `RIGHT` is the accuracy.

        Raises:
            UsageError: No setting has a value of that score.
        """
        score = RIGHT if score == "accuracy" else score
        points = []
        for number, summary in enumerate(summaries, start=1):
            found = summary.scores.get(score)
            if found is None or found.mean is None:
                continue
            low, high = found.interval or (found.mean, found.mean)
            answered = summary.sent - summary.failed - summary.unpriced
            cost = summary.cost / answered * 1000 if summary.cost is not None and answered > 0 else None
            points.append(Point(number, summary.label, found.mean, low, high, cost, summary.latency_p50))
        if not points:
            known = list(dict.fromkeys(name for summary in summaries for name in summary.scores))
            hint = did_you_mean(score, known).strip() or (f"The scores are {', '.join(known)}." if known else "")
            raise UsageError(f"There is no score {score!r} to plot", remedy=hint)
        is_share = all(s.scores[score].is_share for s in summaries if score in s.scores)
        return cls("accuracy" if score == RIGHT else score, points, is_share)

    @property
    def title(self) -> str:
        """What the plot shows, for a screen reader."""
        against = " and ".join(panel.heading for panel in self._panels())
        name = self.name[:1].upper() + self.name[1:]
        return f"{name} of {len(self.points)} setting{'' if len(self.points) == 1 else 's'} against {against}"

    def describe(self) -> list[str]:
        """Return a sentence for each setting."""
        return [_describe(point) for point in self.points]

    def __repr__(self) -> str:
        return printable("\n".join([f"{self.title}:", *self.describe()]))

    def to_svg(self) -> str:
        """Return the plot as an SVG element, in the text colour of the page that it is put into."""
        panels = self._panels()
        width = _LEFT + len(panels) * (_WIDTH + _GAP) - _GAP + 24
        legend = _TOP + _HEIGHT + _BOTTOM + 14
        height = legend + len(self.points) * _LINE
        low, high = self._range()
        drawn = [
            _draw_panel(self, panel, _LEFT + at * (_WIDTH + _GAP), low, high, with_name=at == 0)
            for at, panel in enumerate(panels)
        ]
        lines = [_legend_line(point, legend + at * _LINE) for at, point in enumerate(self.points)]
        description = _escape(" ".join(self.describe()))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" style="max-width:100%;height:auto" font-family="sans-serif" font-size="12" '
            f'fill="currentColor"><title>{_escape(self.title)}</title><desc>{description}</desc>'
            f"{''.join(drawn)}{''.join(lines)}</svg>"
        )

    def to_matplotlib(self) -> Any:
        """Return the plot as a matplotlib figure.

        Raises:
            MissingPackageError: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]  # optional
        except ImportError as error:
            raise MissingPackageError(
                "to_matplotlib() needs matplotlib",
                remedy=f"Run {package_command('matplotlib')}. to_svg() works without it.",
            ) from error
        panels = self._panels()
        figure = Figure(figsize=(5 * len(panels), 4), layout="constrained")
        for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            for point in panel.points(self.points):
                spread = [[point.y - point.low], [point.high - point.y]]
                axes.errorbar([panel.x(point)], [point.y], yerr=spread, fmt="o", capsize=3, label=point.label)
            axes.set_xlabel(panel.heading)
            axes.set_ylabel(self.name)
            axes.set_xlim(left=0)
        axes.legend(fontsize="small")
        return figure

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        """Return an SVG, and the figures as text. Of HTML, a notebook that is not trusted would show the bare words."""
        paper = self.to_svg().replace('fill="currentColor"', 'fill="#222" color="#222"', 1)
        card = '<rect width="100%" height="100%" fill="#fff"/>'  # an SVG file does not know its page's theme
        return {"text/plain": repr(self), "image/svg+xml": paper.replace("</desc>", f"</desc>{card}", 1)}

    def _panels(self) -> list[_Subplot]:
        costs = _Subplot("cost of 1,000 rows", "cost", format_cost)
        seconds = _Subplot("median latency (s)", "latency", lambda value: f"{value:.3g}")
        panels = [panel for panel in (costs, seconds) if panel.points(self.points)]
        return panels or [_Subplot("setting", "number", lambda value: f"{value:g}")]

    def _range(self) -> tuple[float, float]:
        """The ends of the vertical axis: the intervals with some room, and for a share not beyond 0 and 1."""
        low, high = min(point.low for point in self.points), max(point.high for point in self.points)
        room = (high - low) * 0.08 or 0.05
        low, high = low - room, high + room
        return (max(low, 0.0), min(high, 1.0)) if self.is_share else (low, high)


class _Subplot(NamedTuple):
    """One of the plots side by side: what is on its horizontal axis."""

    heading: str
    field: str
    to_text: Any

    def x(self, point: Point) -> float:
        """The place of a point."""
        return float(getattr(point, self.field))

    def points(self, points: Sequence[Point]) -> list[Point]:
        """Those that have a place."""
        return [point for point in points if getattr(point, self.field) is not None]


def _draw_panel(plot: Plot, panel: _Subplot, left: float, low: float, high: float, *, with_name: bool) -> str:
    points = panel.points(plot.points)
    largest = max(panel.x(point) for point in points)
    ticks = nice_ticks(0, max(largest, _LEAST) if largest else 1)
    right = ticks[-1] if ticks[-1] >= largest * 1.02 else ticks[-1] * 1.08  # a dot at the edge would be cut

    def x_of(value: float) -> float:
        return left + value / right * _WIDTH

    def y_of(value: float) -> float:
        return _TOP + (high - value) / (high - low) * _HEIGHT

    base = _TOP + _HEIGHT
    parts = [_line(left, _TOP, left, base), _line(left, base, left + _WIDTH, base)]
    for tick in nice_ticks(low, high, inside=True):
        parts += [_line(left, y_of(tick), left + _WIDTH, y_of(tick), 0.18)]
        parts += [_text(left - 8, y_of(tick) + 4, f"{tick:g}", "end")]
    for tick in ticks:
        parts += [_line(x_of(tick), base, x_of(tick), base + 4), _text(x_of(tick), base + 18, panel.to_text(tick))]
    parts.append(_text(left + _WIDTH / 2, base + 36, panel.heading))
    if with_name:
        parts.append(_text(left - 40, _TOP - 10, plot.name, "start"))
    places = [(x_of(panel.x(point)), point) for point in points]
    parts += [_interval(x, y_of(point.low), y_of(point.high)) for x, point in places]  # below all dots
    parts += [_dot(x, y_of(point.y), point.number) for x, point in places]
    return "".join(parts)


def nice_ticks(low: float, high: float, *, inside: bool = False) -> list[float]:
    """Return round numbers from one end of an axis to the other.

    Args:
        low: The lower end.
        high: The upper end.
        inside: Whether no number may lie outside; otherwise the last one is at least the upper end.
    """
    step = 10 ** math.floor(math.log10((high - low) / _TICKS))
    step = next(step * factor for factor in (1, 2, 2.5, 5, 10) if step * factor * _TICKS >= (high - low) * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9) if inside else math.ceil(high / step - 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def _line(x1: float, y1: float, x2: float, y2: float, opacity: float = 0.6) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="currentColor" stroke-opacity="{opacity}"/>'


def _interval(x: float, top: float, bottom: float) -> str:
    ends = "".join(f"M{x - 4:.1f} {y:.1f}h8" for y in (top, bottom))
    return f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}{ends}" stroke="{_DOT}" stroke-width="2" fill="none"/>'


def _dot(x: float, y: float, number: int) -> str:
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{_DOT}"/>'
    return f'{circle}<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" font-size="11" fill="#fff">{number}</text>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_escape(text)}</text>'


def _legend_line(point: Point, y: float) -> str:
    return _dot(_LEFT - 30, y, point.number) + _text(_LEFT - 14, y + 4, _describe(point), "start")


def _describe(point: Point) -> str:
    interval = f" ({format_figure(point.low, 2)} to {format_figure(point.high, 2)})" if point.high > point.low else ""
    cost = f", {format_cost(point.cost)} per 1,000 rows" if point.cost is not None else ""
    seconds = f", {point.latency:.2f} s" if point.latency is not None else ""
    return f"{one_line(point.label, _MAX_LABEL)}: {format_figure(point.y)}{interval}{cost}{seconds}"


def _escape(text: str) -> str:
    return html.escape(printable(text))
