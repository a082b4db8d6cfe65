"""Results of benchmarks: from a program's output to medians and ratios."""

import json
import math
import re
import statistics
from dataclasses import dataclass, field

from tools.guest.errors import ToolError

_NAME = re.compile(r"[a-z0-9_.:-]+/[a-z0-9_.:-]+/[a-z0-9_.:-]+")


def parse_lines(output, keys):
    """The JSON objects of a program's output, one a line, each with a name and `keys`."""
    objects = []
    for line in filter(None, map(str.strip, output.splitlines())):
        try:
            item = json.loads(line)
        except json.JSONDecodeError:
            raise ToolError(f"the benchmark printed what is not JSON: {line[:60]}") from None
        if not isinstance(item, dict) or not {"name", *keys} <= item.keys():
            raise ToolError(f"a result without {', '.join(('name', *keys))}: {line[:60]}")
        if not _NAME.fullmatch(str(item["name"])):
            raise ToolError(f"a result with a bad name: {item['name']}")
        objects.append(item)
    return objects


def parse_results(output):
    """The results of one run: name, unit, better and a finite value above 0."""
    results = parse_lines(output, ("unit", "better", "value"))
    for item in results:
        value = item["value"]
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value <= 0:
            raise ToolError(f"{item['name']}: not a result: {value}")
        if item["better"] not in ("higher", "lower"):
            raise ToolError(f"{item['name']}: better is neither higher nor lower")
    return results


@dataclass
class Row:
    """All samples of one benchmark, by system."""
    name: str
    unit: str
    better: str
    samples: dict = field(default_factory=dict)
    loads: list = field(default_factory=list)

    def add(self, system, value, load):
        """One round's value; `load` is the host's load average at its boot."""
        self.samples.setdefault(system, []).append(value)
        self.loads.append(load)

    def summary(self, system):
        """median, min, max and rounds of a system, or None if it has no sample."""
        values = self.samples.get(system)
        if not values:
            return None
        return {"median": statistics.median(values), "min": min(values), "max": max(values),
                "rounds": len(values)}

    def ratio(self):
        """How many times faster StellarOS is, by medians; None if a side is missing."""
        stellar, linux = self.summary("stellar"), self.summary("linux")
        if not stellar or not linux:
            return None
        ratio = linux["median"] / stellar["median"]
        return ratio if self.better == "lower" else 1 / ratio

    def load(self):
        """The median of the host's load averages."""
        return statistics.median(self.loads) if self.loads else 0.0

    def to_json(self, hardware):
        """The object that --json writes."""
        return {"name": self.name, "unit": self.unit, "better": self.better,
                "harts": hardware.smp, "machine": hardware.machine, "cpu": hardware.cpu,
                "stellar": self.summary("stellar"), "linux": self.summary("linux"),
                "ratio": self.ratio(), "load": self.load()}


def number(value):
    """A number in a table: three to four significant digits, no exponent."""
    if value >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 1e-3 or value == 0 else f"{value:.6f}"


def _cell(summary):
    if summary is None:
        return "-"
    return f"{number(summary['median'])} ({number(summary['min'])}..{number(summary['max'])})"


def align(rows, left=1):
    """Rows of strings as lines with aligned columns; the first `left` columns to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if i < left else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return lines


def table(rows, systems):
    """The results as lines: median, and smallest and largest in brackets."""
    lines = [["benchmark", "unit", "better", *systems, "ratio", "load"]]
    for row in rows:
        ratio = row.ratio()
        lines.append([row.name, row.unit, row.better, *(_cell(row.summary(s)) for s in systems),
                      "-" if ratio is None else f"{ratio:.2f}", f"{row.load():.2f}"])
    return align(lines, left=3)
