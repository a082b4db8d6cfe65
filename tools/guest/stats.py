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
    """The results of one run: name, unit, better and a finite value above 0, or why there is none.

    A benchmark that the kernel cannot run says {"name": ..., "unsupported": why}.
    """
    results = parse_lines(output, ())
    for item in results:
        if isinstance(item.get("unsupported"), str):
            continue
        value = item.get("value")
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value <= 0 or "unit" not in item:
            raise ToolError(f"{item['name']}: not a result: {value}")
        if item.get("better") not in ("higher", "lower"):
            raise ToolError(f"{item['name']}: better is neither higher nor lower")
    return results


@dataclass
class Row:
    """All samples of one benchmark, by system."""
    name: str
    unit: str = ""
    better: str = "lower"
    bar: float | None = None
    samples: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
    loads: list = field(default_factory=list)

    def add(self, system, value, load):
        """One round's value; `load` is the host's load average at its boot."""
        self.samples.setdefault(system, []).append(value)
        self.loads.append(load)

    def note(self, system, why):
        """One round gave no value: "not supported: ..." or "failed: ..."."""
        self.notes.setdefault(system, []).append(why)

    def summary(self, system):
        """median, min, max and rounds of a system; None if any round gave no value."""
        values = self.samples.get(system)
        if not values or system in self.notes:
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

    def below(self):
        """Whether the ratio misses the bar. A bar of 1 is missed only beyond the rounds' spread."""
        ratio = self.ratio()
        if ratio is None or self.bar is None or ratio >= self.bar:
            return False
        stellar, linux = self.summary("stellar"), self.summary("linux")
        overlap = stellar["min"] <= linux["max"] and linux["min"] <= stellar["max"]
        return self.bar > 1 or not overlap

    def failed(self):
        """Whether a system had a round that went wrong (what is not supported is not wrong)."""
        return any(why.startswith("failed") for notes in self.notes.values() for why in notes)

    def load(self):
        """The median of the host's load averages."""
        return statistics.median(self.loads) if self.loads else 0.0

    def to_json(self, hardware, systems=("stellar", "linux")):
        """The object that --json writes."""
        item = {"name": self.name, "unit": self.unit, "better": self.better,
                "harts": hardware.smp, "machine": hardware.machine, "cpu": hardware.cpu}
        item.update((system, self.summary(system)) for system in ("stellar", "linux", *systems))
        item.update(ratio=self.ratio(), load=self.load(), systems=list(systems))
        if self.bar is not None:
            item.update(bar=self.bar, below=self.below())
        if self.notes:
            item["notes"] = {system: notes[-1] for system, notes in self.notes.items()}
        return item


def number(value):
    """A number in a table: three to four significant digits, no exponent."""
    if value >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 1e-3 or value == 0 else f"{value:.6f}"


def _cell(row, system):
    summary = row.summary(system)
    if summary:
        return f"{number(summary['median'])} ({number(summary['min'])}..{number(summary['max'])})"
    if system not in row.notes:
        return "-"
    what = row.notes[system][-1].partition(":")[0]
    good = len(row.samples.get(system, []))
    return what if not good else f"{what} in {len(row.notes[system])} of {good + len(row.notes[system])}"


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
    """The results as lines: median, and smallest and largest in brackets; then what is missing."""
    lines = [["benchmark", "unit", "better", *systems, "ratio", "bar", "load"]]
    for row in rows:
        ratio = row.ratio()
        bar = "-" if row.bar is None else f"{'below ' if row.below() else ''}{row.bar:g}"
        lines.append([row.name, row.unit, row.better, *(_cell(row, s) for s in systems),
                      "-" if ratio is None else f"{ratio:.2f}", bar, f"{row.load():.2f}"])
    return align(lines, left=3) + [f"{row.name}: {system}: {notes[-1]}"
                                   for row in rows for system, notes in row.notes.items()]
