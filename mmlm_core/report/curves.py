"""Draws curves as SVG, in the page's own colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Series", "chart", "number", "ticks"]

WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 30
MOST_POINTS = 240
"""Points of a drawn line: more than the eye sees only make the file large."""


@dataclass(frozen=True)
class Series:
    """A line.

    Attributes:
        name: What it shows.
        points: x and y, by ascending x.
        dots: Whether to mark each point, where these are few.
    """

    name: str
    points: Sequence[tuple[float, float]]
    dots: bool = False


def chart(title: str, series: Sequence[Series], unit: str = "step") -> str:
    """Return a figure with one or more lines over the same axis; an empty text where there is nothing to draw.

    Args:
        title: What the figure shows.
        series: The lines.
        unit: What the horizontal axis counts.
    """
    drawn = [Series(one.name, _finite(one.points), one.dots) for one in series]
    drawn = [one for one in drawn if one.points]
    if not drawn:
        return ""
    xs = [x for one in drawn for x, _ in one.points]
    ys = [y for one in drawn for _, y in one.points]
    low_x, high_x = min(0.0, *xs), max(1.0, *xs)
    across, upward = ticks(low_x, high_x, 5), ticks(min(ys), max(ys), 4)
    upward = [y for y in upward if y >= 0 or min(ys) < 0]  # what is never negative has no axis below zero
    low_y, high_y = upward[0], upward[-1]
    largest = max(abs(low_y), abs(high_y))

    def place(x: float, y: float) -> tuple[float, float]:
        right = LEFT + (x - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - (y - low_y) / (high_y - low_y) * (HEIGHT - TOP - BOTTOM)
        return right, down

    parts = []
    for y in upward:
        _, down = place(low_x, y)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down:.1f}" y2="{down:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 7}" y="{down + 3.5:.1f}" text-anchor="end">{number(y, largest)}</text>'
        )
    for x in across:
        if low_x <= x <= high_x:
            right, _ = place(x, low_y)
            parts.append(
                f'<text class="tick" x="{right:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{number(x)}</text>'
            )
    for index, one in enumerate(drawn):
        spots = [place(x, y) for x, y in _thinned(one.points)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline class="line s{index}" points="{line}"/>')
        if one.dots or len(spots) == 1:
            parts += [f'<circle class="dot s{index}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in spots]
    keys = "".join(f'<span class="key s{index}">{escape(one.name)}</span>' for index, one in enumerate(drawn))
    last = ", ".join(f"{one.name} ends at {number(one.points[-1][1])}" for one in drawn)
    return (
        f"<figure><figcaption><b>{escape(title)}</b>{keys if len(drawn) > 1 else ''}"
        f'<span class="unit">by {escape(unit)}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}: {escape(last)}">'
        f"{''.join(parts)}</svg></figure>"
    )


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return about so many round numbers that cover a range: steps of 1, 2 or 5 times a power of ten.

    Example:
        >>> ticks(0.3, 3.9, 4)
        [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    if high - low < 1e-12 * max(1.0, abs(high)):
        pad = abs(high) * 0.1 or 1.0
        low, high = low - pad, high + pad
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def number(value: float, largest: float | None = None) -> str:
    """Return a number as an axis shows it: `1,200`, `0.25`, `3e-4`.

    Args:
        value: The number.
        largest: The greatest of the axis, after which all are written; None: this one.
    """
    size = abs(value) if largest is None else largest
    if value == 0:
        return "0"
    if size >= 1e6:
        return f"{value / 1e6:g}M"
    if size >= 1000:
        return f"{value:,.0f}"
    if size > 0.002:
        return f"{value:.3g}"
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return fewer points: the mean of each stretch, and the last point."""
    if len(points) <= MOST_POINTS:
        return points
    stretch = math.ceil(len(points) / MOST_POINTS)
    groups = [points[start : start + stretch] for start in range(0, len(points), stretch)]
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups] + [points[-1]]
