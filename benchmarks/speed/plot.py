"""docs/benchmarks.svg: cost against lines, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _HEIGHT = 860, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 196, 48, 56
#: between the labels of two lines
_APART = 17
#: told apart by hue and lightness, dashes and marks; all are visible on white and on black
_COLOURS = ("#d1495b", "#2f7fd0", "#2a9d6f", "#9a6fd0", "#c47f17", "#7c8894", "#b8559b", "#4a9aa8", "#8a8f3c")
_DASHES = ("", "6 4", "2 3", "9 3 2 3")
_OPEN = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
    'aria-labelledby="title description">'
)
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600; font-size: 15px }
.grid { stroke: #8c959f; stroke-opacity: .3 }
@media (prefers-color-scheme: dark) { text { fill: #a8b2bd } }
"""


class Series(NamedTuple):
    """A line of the plot: for numbers of lines, CPU seconds."""

    name: str
    points: Sequence[tuple[float, float]]


class _Axis(NamedTuple):
    """A logarithmic axis: values, and where they are drawn."""

    least: float
    most: float
    start: float
    end: float

    def at(self, value: float) -> float:
        part = math.log10(value / self.least) / math.log10(self.most / self.least)
        return self.start + part * (self.end - self.start)

    def powers(self) -> list[float]:
        """The powers of ten within."""
        first, last = math.ceil(round(math.log10(self.least), 6)), math.floor(round(math.log10(self.most), 6))
        return [10.0**power for power in range(first, last + 1)]


def plot(series: Sequence[Series], *, main: str, title: str, description: str) -> str:
    """The plot as SVG; the line called `main` is drawn thickest.

    Raises:
        ValueError: there is no point.
    """
    points = [point for each in series for point in each.points]
    if not points:
        raise ValueError("there is nothing to plot")
    x = _axis((lines for lines, _ in points), _LEFT, _WIDTH - _RIGHT)
    y = _axis((seconds for _, seconds in points), _HEIGHT - _BOTTOM, _TOP)
    return "\n".join(
        [
            _OPEN,
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>\n{_STYLE}</style>",
            *_frame(x, y, title),
            *_lines(series, x, y, main),
            "</svg>\n",
        ]
    )


def _axis(values: Iterable[float], start: float, end: float) -> _Axis:
    """An axis with room for all values, and for a bit more."""
    found = list(values)
    return _Axis(min(found) / 1.5, max(found) * 1.5, start, end)


def _frame(x: _Axis, y: _Axis, title: str) -> Iterator[str]:
    yield _text(_LEFT, 26, title, "start", "title")
    for value in x.powers():
        at = x.at(value)
        yield f'<line class="grid" x1="{at:.1f}" y1="{y.end}" x2="{at:.1f}" y2="{y.start}"/>'
        yield _text(at, y.start + 20, f"{value:,.0f}", "middle")
    for value in y.powers():
        at = y.at(value)
        yield f'<line class="grid" x1="{x.start}" y1="{at:.1f}" x2="{x.end}" y2="{at:.1f}"/>'
        yield _text(x.start - 10, at + 4, f"{value:g}", "end")
    size = f'width="{x.end - x.start}" height="{y.start - y.end}"'
    yield f'<rect class="grid" x="{x.start}" y="{y.end}" {size} fill="none"/>'
    yield _text((x.start + x.end) / 2, _HEIGHT - 12, "lines of Python", "middle")
    middle = (y.start + y.end) / 2
    turned = f'x="22" y="{middle}" text-anchor="middle" transform="rotate(-90 22 {middle})"'
    yield f"<text {turned}>CPU seconds</text>"


def _lines(series: Sequence[Series], x: _Axis, y: _Axis, main: str) -> Iterator[str]:
    drawn = [each for each in series if each.points]
    labels = _labels({each.name: y.at(each.points[-1][1]) for each in drawn}, y.start)
    for number, each in enumerate(drawn):
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
        places = [(x.at(lines), y.at(seconds)) for lines, seconds in each.points]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
        width = 3.5 if each.name == main else 1.8
        dashes = f' stroke-dasharray="{dash}"' if dash and each.name != main else ""
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'
        for (across, down), (lines, seconds) in zip(places, each.points, strict=True):
            told = escape(f"{each.name}: {lines:,.0f} lines, {seconds:.2f} CPU s")
            place = f'cx="{across:.1f}" cy="{down:.1f}" r="4"'
            yield f'<circle {place} fill="{colour}"><title>{told}</title></circle>'
        across, down = places[-1]
        label, beside = labels[each.name], _WIDTH - _RIGHT + 18
        yield (
            f'<polyline points="{across + 6:.1f},{down:.1f} {beside - 4},{label:.1f}" fill="none" '
            f'stroke="{colour}" stroke-opacity=".5"/>'
        )
        style = f"fill: {colour}{'; font-weight: 600' if each.name == main else ''}"
        yield f'<text x="{beside}" y="{label + 4:.1f}" style="{style}">{escape(each.name)}</text>'


def _labels(wanted: Mapping[str, float], lowest: float) -> dict[str, float]:
    """Where the labels of the lines go, so that none covers another."""
    placed: dict[str, float] = {}
    last = -math.inf
    for name, at in sorted(wanted.items(), key=lambda item: item[1]):
        last = placed[name] = max(at, last + _APART)
    below = max(last - lowest, 0)
    # what went below the frame is moved up, with what it pushes
    following = math.inf
    for name, at in sorted(placed.items(), key=lambda item: -item[1]):
        following = placed[name] = min(at, following - _APART, at if below == 0 else lowest)
    return placed


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    named = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'
