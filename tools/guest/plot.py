"""Pictures of results: SVG made by hand, and an HTML page around it.

A benchmark gets a picture for each machine on which it was run with several numbers of threads,
and each result one for each machine whose number of harts was varied. Both axes are logarithmic; a
point is the median over the rounds, its bar reaches from the smallest to the largest.
"""

import html as markup
import math
import re

_WIDTH, _HEIGHT = 300, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 42, 36
_COLUMNS = 3
_COLOURS = {"stellar": "#c2410c", "linux": "#1d4ed8"}
_MORE_COLOURS = ("#15803d", "#7e22ce", "#0e7490", "#a16207")
_NAMES = {"stellar": "StellarOS", "linux": "Linux"}
_NUMBER = re.compile(r"(\d+)-(?:threads|processes|pairs|groups)")
_STYLE = ("text { font: 11px sans-serif; fill: #222 } .t { font-weight: bold } "
          ".g { stroke: #ddd } .a { stroke: #555; fill: none }")


def _systems(item):
    return [system for system in item.get("systems", ("stellar", "linux")) if item.get(system)]


def charts(results):
    """(title, what x is, unit, better, {system: {x: summary}}) of every picture worth drawing.

    The pictures over threads come first.
    """
    groups = {}
    for item in results:
        if "better" not in item or item["unit"] == "per operation":
            continue
        suite, benchmark, variant = item["name"].split("/")
        machine, number = item["machine"], _NUMBER.fullmatch(variant)
        keys = [((item["name"], machine), f"{item['name']}", "harts", item["harts"])]
        if number:
            keys.append(((suite, benchmark, machine, item["harts"]),
                         f"{suite}/{benchmark}, {item['harts']}-hart machine", variant.split("-")[1],
                         int(number[1])))
        for key, title, axis, x in keys:
            title += "" if machine == "virt" else f", {machine.partition(',')[2]}"
            group = groups.setdefault(key, (title, axis, item["unit"], item["better"], {}))
            for system in _systems(item):
                group[4].setdefault(system, {})[x] = item[system]
    drawn = [group for group in groups.values()
             if len({x for points in group[4].values() for x in points}) > 1]
    return sorted(drawn, key=lambda group: group[1] == "harts")


class _Axis:
    """A logarithmic scale from numbers to pixels."""

    def __init__(self, low, high, start, end):
        self.low, self.high = math.log(low), math.log(max(high, low * 1.01))
        self.start, self.end = start, end

    def at(self, value):
        """The pixel of a value."""
        share = (math.log(value) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def _short(value):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _text(x, y, words, anchor="start", kind=""):
    return (f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">'
            f"{markup.escape(words)}</text>")


def _grid(x_axis, y_axis, xs, axis):
    parts = []
    powers = [round(edge / math.log(10)) for edge in (y_axis.low, y_axis.high)]
    for value in (10.0 ** power for power in range(powers[0], powers[1] + 1)):
        y = y_axis.at(value)
        parts.append(f'<path class="g" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>')
        parts.append(_text(_LEFT - 4, y + 4, _short(value), "end"))
    parts += [_text(x_axis.at(x), _HEIGHT - _BOTTOM + 14, str(x), "middle") for x in xs]
    parts.append(_text(_WIDTH - _RIGHT, _HEIGHT - 6, axis, "end"))
    parts.append(f'<path class="a" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>')
    return parts


def colour(system, systems):
    """The colour of a system's line."""
    others = [name for name in systems if name not in _COLOURS]
    return _COLOURS.get(system) or _MORE_COLOURS[others.index(system) % len(_MORE_COLOURS)]


def _line(points, x_axis, y_axis, stroke):
    spots = [(x_axis.at(x), points[x]) for x in sorted(points)]
    path = "L".join(f"{x} {y_axis.at(summary['median'])}" for x, summary in spots)
    parts = [f'<path d="M{path}" stroke="{stroke}" stroke-width="2" fill="none"/>']
    for x, summary in spots:
        low, middle, high = (y_axis.at(summary[key]) for key in ("min", "median", "max"))
        parts.append(f'<path d="M{x} {low}V{high}" stroke="{stroke}"/>')
        parts.append(f'<circle cx="{x}" cy="{middle}" r="3" fill="{stroke}"/>')
    return parts


def _chart(chart):
    """The inside of one picture."""
    title, axis, unit, better, series = chart
    xs = sorted({x for points in series.values() for x in points})
    values = [summary[key] for points in series.values() for summary in points.values()
              for key in ("min", "max")]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
    x_axis = _Axis(xs[0], xs[-1], _LEFT + 10, _WIDTH - _RIGHT - 10)
    y_axis = _Axis(low, high, _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(4, 14, title, kind="t"), _text(4, 27, f"{unit}, {better} is better")]
    parts += _grid(x_axis, y_axis, xs, axis)
    for number, system in enumerate(series):
        stroke = colour(system, series)
        parts += _line(series[system], x_axis, y_axis, stroke)
        name = markup.escape(_NAMES.get(system, system))
        parts.append(f'<text x="{4 + 76 * number}" y="{_HEIGHT - 6}" style="fill: {stroke}">'
                     f"{name}</text>")
    return "\n".join(parts)


def svg(results):
    """One SVG with all pictures."""
    drawn = charts(results)
    rows = -(-len(drawn) // _COLUMNS)
    columns = min(len(drawn), _COLUMNS) or 1
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns * _WIDTH}" '
             f'height="{rows * _HEIGHT}">', f"<style>{_STYLE}</style>",
             '<rect width="100%" height="100%" fill="white"/>']
    for number, chart in enumerate(drawn):
        x, y = number % _COLUMNS * _WIDTH, number // _COLUMNS * _HEIGHT
        parts.append(f'<g transform="translate({x} {y})">\n{_chart(chart)}\n</g>')
    return "\n".join(parts) + "\n</svg>\n"


def _row(item):
    cells = [item["name"], item["machine"], str(item["harts"]), item["unit"]]
    for system in ("stellar", "linux"):
        summary = item.get(system)
        note = item.get("notes", {}).get(system, "-")
        figure = (summary or {}).get("median", (summary or {}).get("instructions"))
        cells.append(note if figure is None else f"{figure:.4g}")
    cells += [f"{item['ratio']:.2f}" if item.get("ratio") else "-", str(item.get("bar", "-"))]
    below = ' class="below"' if item.get("below") else ""
    return f"<tr{below}>" + "".join(f"<td>{markup.escape(cell)}</td>" for cell in cells) + "</tr>"


def html(results):
    """A page with the pictures and a table of everything."""
    names = ("benchmark", "machine", "harts", "unit", "StellarOS", "Linux", "ratio", "bar")
    head = "".join(f"<th>{name}</th>" for name in names)
    table = "\n".join(map(_row, results))
    return ("<!doctype html>\n<meta charset=\"utf-8\"><title>StellarOS and Linux</title>\n"
            "<style>body { font: 14px sans-serif } td, th { padding: 2px 8px; text-align: right } "
            "td:first-child { text-align: left } .below { background: #fee2e2 }</style>\n"
            f"{svg(results)}<table>\n<tr>{head}</tr>\n{table}\n</table>\n")
