"""Draws what probes/growth.py measured: CPU seconds against size on logarithmic scales, as one SVG.

python benchmarks/growth_plot.py FIGURES.json docs/images/growth.svg
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 420, 64, 44
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
_STYLE = "font-family:sans-serif;font-size:12px"


def draw(series: dict[str, list[list[float]]], exponents: dict[str, float]) -> str:
    """The SVG of the series, with the slope of each beside its name."""
    points = [point for each in series.values() for point in each]
    x_low, x_high = _decades([point[0] for point in points])
    y_low, y_high = _decades([point[1] for point in points])

    def place(size: float, seconds: float) -> tuple[float, float]:
        x = _LEFT + (math.log10(size) - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - 190)
        y = _HEIGHT - _BOTTOM - (math.log10(seconds) - y_low) / (y_high - y_low) * (_HEIGHT - _BOTTOM - 20)
        return round(x, 1), round(y, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" style="{_STYLE}">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for power in range(x_low, x_high + 1):
        (x, bottom), (_, top) = place(10**power, 10**y_low), place(10**power, 10**y_high)
        parts += [f'<path d="M{x} {bottom}V{top}" stroke="#ddd"/>', _text(x, bottom + 16, _number(power), "middle")]
    for power in range(y_low, y_high + 1):
        (left, y), (right, _) = place(10**x_low, 10**power), place(10**x_high, 10**power)
        parts += [f'<path d="M{left} {y}H{right}" stroke="#ddd"/>', _text(left - 6, y + 4, f"{10.0**power:g} s", "end")]
    for number, (name, each) in enumerate(series.items()):
        line = " ".join(f"{x},{y}" for x, y in (place(*point) for point in each))
        color = _COLORS[number % len(_COLORS)]
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(_text(_WIDTH - 182, 40 + 20 * number, f"{name}: n^{exponents[name]:.2f}", "start", color))
    parts.append(_text(_LEFT + 200, _HEIGHT - 6, "size", "middle"))
    return "\n".join([*parts, "</svg>", ""])


def _decades(values: list[float]) -> tuple[int, int]:
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def _number(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"


def _text(x: float, y: float, text: str, anchor: str, color: str = "#333") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{color}">{text}</text>'


if __name__ == "__main__":
    figures = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8").strip().splitlines()[-1])
    Path(sys.argv[2]).write_text(draw(figures["series"], figures["exponents"]), encoding="utf-8")
