"""Samples of the kernel's profiler: resolves them, adds them to a Perfetto file, folds them for a flame graph.

The text form that `convert --samples` prints has addresses; the kernel's come from its ELF file, those of programs from the files
of the guest, by the mappings that the kernel told.
"""

import bisect
import collections
import subprocess
from dataclasses import dataclass

from tools.guest.elf import Elf
from tools.guest.errors import ToolError

_UPPER_HALF = 1 << 63
_USER, _OFF = 0, 2  # enum trace_sample_mode
HZ = 997  # SAMPLE_HZ_DEFAULT of kernel/trace/sample.h
_OFF_NAME = "[kernel, interrupts off]"
_KERNEL_PATH = "/kernel"

# Field numbers of Perfetto's messages.
_PACKET, _TIMESTAMP, _SEQUENCE, _INTERNED, _FLAGS, _DEFAULTS, _PERF_SAMPLE = 1, 8, 10, 12, 13, 59, 66
_FUNCTION_NAMES, _FRAMES, _CALLSTACKS, _MAPPING_PATHS, _MAPPINGS = 5, 6, 7, 17, 19
_OUR_SEQUENCE, _CLEARED, _NEEDS_STATE = 2, 1, 2
_MODE_KERNEL, _MODE_USER = 1, 2
_SW_CPU_CLOCK = 1


@dataclass(frozen=True)
class Frame:
    """One function of a stack: its name, the file, the place in the file's own terms."""
    name: str
    path: str
    address: int


@dataclass
class Sample:
    """`stack` is outermost first."""
    ns: int
    hart: int
    pid: int
    tid: int
    mode: int
    comm: str
    stack: tuple


class _Space:
    """Executable mappings of a process."""

    def __init__(self, other=None):
        self._starts = list(other._starts) if other else []
        self._maps = dict(other._maps) if other else {}

    def add(self, start, end, offset, path):
        for old in [at for at in self._starts if at < end and self._maps[at][0] > start]:
            self._starts.remove(old)
            del self._maps[old]
        bisect.insort(self._starts, start)
        self._maps[start] = (end, offset, path)

    def find(self, address):
        """(path, offset into the file), or None."""
        at = bisect.bisect_right(self._starts, address) - 1
        if at < 0:
            return None
        start = self._starts[at]
        end, offset, path = self._maps[start]
        return (path, address - start + offset) if address < end else None


class Resolver:
    """Follows the lines of `convert --samples`."""

    def __init__(self, kernel, tree):
        self._kernel = Elf(kernel.read_bytes())
        self._tree = tree
        self._files, self._spaces = {}, collections.defaultdict(_Space)
        self._comms = {0: "swapper"}  # idle threads, by the name that Perfetto gives them
        self.missed = 0

    def _file(self, path):
        if path not in self._files:
            node = self._tree.lookup(path.lstrip("/"))
            self._files[path] = Elf(self._tree.head(path.lstrip("/"), node.size) if node else b"")
        return self._files[path]

    def _frame(self, pid, address, is_return):
        """`is_return`: the address after a call, which may lie behind the function."""
        at = address - is_return
        if address >= _UPPER_HALF:
            return Frame(self._kernel.name(at) or f"{address:#x}", _KERNEL_PATH, address)
        found = self._spaces[pid].find(at)
        if not found:
            return Frame("[unknown]", "", address)
        path, offset = found
        elf = self._file(path)
        inside = elf.address_of(offset)
        name = elf.name(inside) if inside is not None else None
        return Frame(name or f"[{path.rpartition('/')[2]}]", path, inside or offset)

    def _stack(self, pid, mode, addresses):
        # A program's pc in the kernel is behind its ecall, which is as good as a call.
        frames = [self._frame(pid, address, at > 0 or mode == _OFF) for at, address in enumerate(addresses)]
        if mode == _OFF:
            frames.insert(0, Frame(_OFF_NAME, _KERNEL_PATH, _UPPER_HALF))
        return tuple(frames[::-1])

    def _sample(self, words):
        ns, hart, pid, tid, mode = map(int, words[:5])
        addresses = [int(word, 16) for word in words[5:]]
        comm = self._comms.get(tid) or self._comms.get(pid, "?")
        return Sample(ns, hart, pid, tid, mode, comm, self._stack(pid, mode, addresses))

    def samples(self, lines):
        """Yields a Sample for each."""
        for line in lines:
            kind, _, rest = line.partition(" ")
            if kind == "sample":
                yield self._sample(rest.split())
            elif kind == "name":
                tid, _, name = rest.partition(" ")
                self._comms[int(tid)] = name
            elif kind == "fork":
                child, parent = map(int, rest.split())
                self._spaces[child] = _Space(self._spaces[parent])
                self._comms.setdefault(child, self._comms.get(parent, "?"))
            elif kind == "map":
                pid, start, end, offset, path = rest.split(" ", 4)
                if int(start, 16):
                    self._spaces[int(pid)].add(int(start, 16), int(end, 16), int(offset, 16), path)
                else:
                    self._spaces[int(pid)] = _Space()
            elif kind == "missed":
                self.missed += int(rest)


def fold(samples):
    """Stack of names, outermost first, with the thread's name in front -> samples."""
    stacks = collections.Counter()
    for sample in samples:
        stacks[(sample.comm, *(frame.name for frame in sample.stack))] += 1
    return stacks


# ---- Perfetto ----


def _varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, value):
    return _varint(field << 3 | 2) + _varint(len(value)) + value


class _Interned:
    """Numbers for what is said once; iids begin at 1."""

    def __init__(self):
        self.iids = {}

    def __call__(self, key):
        return self.iids.setdefault(key, len(self.iids) + 1)


class _Stacks:
    """Callstacks, their frames, functions and files, as interned data."""

    def __init__(self, samples):
        self._names, self._paths, self._frames = _Interned(), _Interned(), _Interned()
        self.stacks = _Interned()
        for sample in samples:
            self.stacks(sample.stack)
            for frame in sample.stack:
                self._frames(frame)
                self._names(frame.name)
                self._paths(frame.path)

    def message(self):
        """The InternedData of all."""
        out = [_bytes(_FUNCTION_NAMES, _number(1, iid) + _bytes(2, name.encode()))
               for name, iid in self._names.iids.items()]
        for path, iid in self._paths.iids.items():
            out.append(_bytes(_MAPPING_PATHS, _number(1, iid) + _bytes(2, path.encode())))
            out.append(_bytes(_MAPPINGS, _number(1, iid) + _number(7, iid)))
        for frame, iid in self._frames.iids.items():
            out.append(_bytes(_FRAMES, _number(1, iid) + _number(2, self._names(frame.name)) +
                              _number(3, self._paths(frame.path)) + _number(4, frame.address)))
        for stack, iid in self.stacks.iids.items():
            out.append(_bytes(_CALLSTACKS, _number(1, iid) +
                              b"".join(_number(2, self._frames(frame)) for frame in stack)))
        return b"".join(out)


def packets(samples):
    """The samples as packets of a Perfetto trace, on a sequence of their own."""
    stacks = _Stacks(samples)
    timebase = _number(2, HZ) + _number(4, _SW_CPU_CLOCK)
    head = (_number(_TIMESTAMP, samples[0].ns) + _number(_SEQUENCE, _OUR_SEQUENCE) +
            _bytes(_INTERNED, stacks.message()) + _number(_FLAGS, _CLEARED) +
            _bytes(_DEFAULTS, _bytes(12, _bytes(1, timebase))))
    yield _bytes(_PACKET, head)
    for count, sample in enumerate(samples, 1):
        mode = _MODE_USER if sample.mode == _USER else _MODE_KERNEL
        body = (_number(1, sample.hart) + _number(2, sample.pid) + _number(3, sample.tid) +
                _number(4, stacks.stacks(sample.stack)) + _number(5, mode) + _number(6, count))
        yield _bytes(_PACKET, _number(_TIMESTAMP, sample.ns) + _number(_SEQUENCE, _OUR_SEQUENCE) +
                     _number(_FLAGS, _NEEDS_STATE) + _bytes(_PERF_SAMPLE, body))


def read(convert, dump, kernel, tree):
    """(samples of the dump, how many more there was no room for)."""
    found = subprocess.run([convert, dump, "--samples"], capture_output=True, text=True, check=False)
    if found.returncode:
        raise ToolError("cannot read the samples", detail=found.stderr)
    resolver = Resolver(kernel, tree)
    samples = sorted(resolver.samples(found.stdout.splitlines()), key=lambda s: s.ns)
    return samples, resolver.missed
