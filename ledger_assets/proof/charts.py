"""Small charts as inline SVG: no script, no network, readable without colour because the numbers stand beside
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 240.0
GAP = 1.0


@dataclass(frozen=True)
class Part:
    """One part of a bar: the CSS class that colours it, its number, what it is."""

    kind: str
    count: int
    words: str


def bar(parts: Sequence[Part], total: int, *, height: int = 10) -> str:
    """A bar of ``parts`` of ``total``. A part that is there can be seen: it is never thinner than two
    units."""
    shown = [part for part in parts if part.count]
    label = escape(", ".join(f"{part.count:,} {part.words}" for part in shown) or "none", quote=True)
    head = (
        f'<svg class="bar" role="img" aria-label="{label}" viewBox="0 0 {WIDTH:g} {height}" '
        f'preserveAspectRatio="none" height="{height}">'
    )
    rects = [f'<rect class="none" width="{WIDTH:g}" height="{height}"/>']
    left = 0.0
    for part, width in zip(shown, _widths(shown, total), strict=True):
        rects.append(
            f'<rect class="{part.kind}" x="{left:.1f}" width="{max(width - GAP, 1):.1f}" height="{height}">'
            f"<title>{escape(f'{part.count:,} {part.words}')}</title></rect>"
        )
        left += width
    return f"{head}{''.join(rects)}</svg>"


def columns(values: Sequence[tuple[str, int]], *, height: int = 90) -> str:
    """A column chart of labelled numbers (months)."""
    if not values:
        return ""
    step = max(14.0, min(40.0, 720.0 / len(values)))
    top = max(count for _, count in values) or 1
    every = max(1, -(-len(values) * 46 // int(len(values) * step)))
    drawn = []
    for n, (label, count) in enumerate(values):
        tall = max(1.5, count / top * height) if count else 0
        drawn.append(
            f'<rect class="same" x="{n * step:.1f}" y="{height - tall + 14:.1f}" width="{step - 3:.1f}" '
            f'height="{tall:.1f}" rx="1.5"><title>{escape(f"{label}: {count:,}")}</title></rect>'
        )
        if n % every == 0:
            drawn.append(f'<text x="{n * step:.1f}" y="{height + 28}">{escape(label)}</text>')
    words = escape(", ".join(f"{label}: {count:,}" for label, count in values), quote=True)
    wide = max(len(values) * step, 200)
    return (
        f'<svg class="columns" role="img" aria-label="{words}" viewBox="0 0 {wide:g} {height + 34}" '
        f'style="max-width:{wide:g}px">{"".join(drawn)}</svg>'
    )


def _widths(parts: Sequence[Part], total: int) -> list[float]:
    """Widths that sum to at most the bar's, each at least two units."""
    whole = max(total, sum(part.count for part in parts), 1)
    widths = [max(2.0, part.count / whole * WIDTH) for part in parts]
    over = sum(widths) - WIDTH
    if over > 0:
        widest = widths.index(max(widths))
        widths[widest] = max(2.0, widths[widest] - over)
    return widths
