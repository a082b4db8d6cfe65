"""What one operation costs without a clock: the counts of the QEMU plugin, per operation.

The program marks windows and says how many operations lie in each, and whether one hart does them
all ("one_hart"); the plugin counts what every hart did inside them (perf/plugin). Of repeated
windows the one with the fewest instructions per operation is kept: what is above the minimum is
ticks and other work that happened to fall in.
"""

import bisect
import json
import subprocess

from tools.guest.errors import ToolError
from tools.guest.process import CACHE, say
from tools.guest.session import Streams
from tools.guest.stats import align, number, parse_lines

COLUMNS = ("instructions", "csr", "blocks", "moves")
_LINUX_SYMBOLS = CACHE / "linux" / "symbols"
_LIST_SYMBOLS = ["/bin/busybox", "cat", "/proc/kallsyms"]


def read_windows(path):
    """(id, seq) -> window, from the file that the plugin wrote."""
    try:
        data = json.loads(path.read_text())
        return {(window["id"], window["seq"]): window for window in data["windows"]}
    except (OSError, KeyError, TypeError, json.JSONDecodeError):
        raise ToolError("the count plugin wrote no usable file") from None


def _per_operation(window, ops, one_hart):
    """All counters, summed over the harts that did the work: with one_hart the window's opener."""
    counts = {}
    for hart in window["harts"]:
        if one_hart and hart["hart"] != window["hart"]:
            continue
        for key, value in hart.items():
            if key != "hart":
                counts[key] = counts.get(key, 0) + value / ops
    counts["moves"] = counts.get("read_moves", 0) + counts.get("write_moves", 0)
    counts["lines"] = [dict(line, moves=line["moves"] / ops) for line in window["lines"]]
    return counts


def _operations(item, window):
    """How many lie in the window: as the program says, or, of `calls` system calls each, as many as returned."""
    if "calls" in item:
        return sum(hart["xret"] for hart in window["harts"]) / item["calls"]
    return item["ops"]


def combine(output, windows):
    """name -> counts per operation, from the program's lines and the plugin's windows."""
    best, seen = {}, {}
    for item in parse_lines(output, ()):
        if "unsupported" in item:
            continue
        if "window" not in item or not item.keys() & {"ops", "calls"}:
            raise ToolError(f"{item['name']}: no counted window")
        key = item["window"]
        window = windows.get((key, seen.get(key, 0)))
        seen[key] = seen.get(key, 0) + 1
        ops = _operations(item, window) if window else 0
        if ops <= 0:
            raise ToolError(f"{item['name']}: the plugin has no window {key}")
        counts = _per_operation(window, ops, item.get("one_hart", False))
        old = best.get(item["name"])
        if old is None or counts["instructions"] < old["instructions"]:
            best[item["name"]] = counts
    return best


class Symbols:
    """Names for addresses, from lines "ADDRESS TYPE NAME" as nm and /proc/kallsyms write them."""

    def __init__(self, text):
        pairs = []
        for line in text.splitlines():
            words = line.split()
            if len(words) >= 3:
                pairs.append((int(words[0], 16), words[2]))
        pairs.sort()
        self._addresses = [address for address, _ in pairs]
        self._names = [name for _, name in pairs]

    def name(self, address, reach=1 << 16):
        """symbol+offset of the symbol at most `reach` bytes below an address, or the address."""
        at = bisect.bisect_right(self._addresses, address) - 1
        if at < 0 or address - self._addresses[at] >= reach:
            return f"{address:#x}"
        offset = address - self._addresses[at]
        return f"{self._names[at]}+{offset:#x}" if offset else self._names[at]


def symbols_of_kernel(kernel):
    """The symbols of a kernel's ELF file."""
    nm = subprocess.run(["riscv64-linux-gnu-nm", kernel], capture_output=True, text=True)
    return Symbols(nm.stdout)


def symbols_of_linux(make_guest):
    """The symbols of the rival, which has no symbol file: asked once from itself, then kept.

    `make_guest(files)` gives a Linux guest.
    """
    if not _LINUX_SYMBOLS.exists():
        say("reading Linux's symbols from a running one")
        guest = make_guest(())
        result = guest.run(_LIST_SYMBOLS, Streams(), append=["nokaslr"], timeout=120)
        if result.status != 0:
            raise ToolError("cannot read Linux's symbols", detail=result.detail)
        _LINUX_SYMBOLS.write_bytes(bytes(result.outcome.stdout))
    return Symbols(_LINUX_SYMBOLS.read_text())


def _place(line, symbols):
    """The name of a moved line: a symbol of the kernel, memory of the program, or an address."""
    address = int(line["vaddr"], 16)
    if address >> 63 or address == int(line["paddr"], 16):
        return symbols.name(address)
    return f"user {address:#x}"


def add_symbols(counts, symbols):
    """Names every line of memory in the counts and who moved it last; most moved first."""
    for entry in counts.values():
        entry["lines"].sort(key=lambda line: -line["moves"])
        for line in entry["lines"]:
            line["symbol"] = _place(line, symbols)
            for key in ("read_pc", "write_pc"):
                address = int(line.get(key, "0"), 16)
                line[key.replace("pc", "in")] = symbols.name(address) if address >> 63 else ""


def _describe(name, system, line):
    text = (f"{name}: {system} moves {number(line['moves'])} times line {line['paddr']} "
            f"{line['symbol']}")
    for key, what in (("write_in", "written in"), ("read_in", "read in")):
        if line[key]:
            text += f", {what} {line[key]}"
    return text


def table(by_system, shown_lines):
    """The counts per operation as lines of text. `by_system` maps a system to name -> counts."""
    systems = list(by_system)
    names = list(dict.fromkeys(name for counts in by_system.values() for name in counts))
    rows = [["per operation", *(f"{column} {s}" for column in COLUMNS for s in systems)]]
    for name in names:
        found = [by_system[system].get(name) for system in systems]
        rows.append([name, *("-" if counts is None else number(counts.get(column, 0))
                             for column in COLUMNS for counts in found)])
    lines = align(rows)
    for name in names if shown_lines else []:
        for system in systems:
            entry = by_system[system].get(name, {"lines": []})
            for line in [line for line in entry["lines"] if line["moves"] > 0][:shown_lines]:
                lines.append(_describe(name, system, line))
    return lines


def to_json(by_system, hardware):
    """The objects that --json writes."""
    names = list(dict.fromkeys(name for counts in by_system.values() for name in counts))
    objects = []
    for name in names:
        item = {"name": name, "unit": "per operation", "better": "lower",
                "harts": hardware.smp, "machine": hardware.machine, "cpu": hardware.cpu}
        item.update((system, counts.get(name)) for system, counts in by_system.items())
        sides = [(item.get(system) or {}).get("instructions") for system in ("stellar", "linux")]
        item["ratio"] = sides[1] / sides[0] if all(sides) else None
        objects.append(item)
    return objects
