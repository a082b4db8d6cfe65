"""Reads the Perfetto files that tools/trace/convert writes: the scheduler's events, slices, threads, arguments.

Only the fields that convert writes are understood; field numbers are those of Perfetto's format.
"""

import collections
import re
from pathlib import Path

# ---- the protobuf subset: field numbers of Perfetto's format ----


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """(number, value) of a message; value is an int or bytes."""
    at, end = 0, len(data)
    while at < end:
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            if at + size > end:
                raise ValueError("truncated")
            value = data[at : at + size]
            at += size
        elif kind == 1:
            value = data[at : at + 8]
            at += 8
        else:
            raise ValueError("wire type {}".format(kind))
        yield tag >> 3, value


def packed(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def running_sum(values):
    total = 0
    for value in values:
        total += value
        yield total


def text(value):
    return value.decode("utf-8", "replace")


# ---- the trace ----

PREEMPTED = 0x100
CLONE_THREAD = 0x10000
CALL_LIST = Path(__file__).resolve().parents[2] / "kernel/syscall/syscalls.def"


def call_names():
    """{number: name} of kernel/syscall/syscalls.def; empty without it."""
    try:
        listed = re.findall(r"^SYSCALL(?:_FULL)?\((\d+), (\w+)", CALL_LIST.read_text(), re.M)
    except OSError:
        return {}
    return {int(number): name for number, name in listed}


CALL_NAMES = call_names()
BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4
Event = collections.namedtuple("Event", "ns cpu kind args")
Slice = collections.namedtuple("Slice", "ns track type name arguments value")


def signed(value):
    """A varint as a signed number of 64 bits."""
    return value - (1 << 64) if value >> 63 else value



class Trace:
    def __init__(self, data):
        self.events = []  # of ftrace
        self.slices = []  # of tracks: Slice
        self.thread_tracks = {}  # track uuid -> tid
        self.names = {}  # tid -> comm
        self.prios = {}  # tid -> best priority it ran at, in Linux's numbers
        self.event_names, self.argument_names = {}, {}
        self.track_names = {}  # uuid -> name
        self.parents = {}  # track uuid -> uuid
        self.tgids = {}  # tid -> tgid
        self.lost = collections.Counter()  # cpu -> records
        self.functions, self.frames, self.stacks = {}, {}, {}  # of samples: iid -> name, iid of a function, frames
        self.samples = collections.Counter()  # iid of a stack -> samples
        for number, packet in fields(data):
            if number == 1:
                self.packet(dict_of(packet))
        self.events.sort(key=lambda e: e.ns)
        self.slices.sort(key=lambda e: e.ns)

    def call_name(self, number):
        """The name of a system call, from the kernel's list."""
        return CALL_NAMES.get(number, f"call {number}")

    def packet(self, packet):
        if 1 in packet:
            self.bundle(packet[1][0])
        if 2 in packet:
            self.process_tree(packet[2][0])
        if 12 in packet:
            interned = dict_of(packet[12][0])
            self.stack_data(interned)
            for name in interned.get(2, []):
                name = dict_of(name)
                self.event_names[name[1][0]] = text(name[2][0])
            for name in interned.get(3, []):
                name = dict_of(name)
                self.argument_names[name[1][0]] = text(name[2][0])
        if 60 in packet:
            track = dict_of(packet[60][0])
            self.track_names[track[1][0]] = text(track.get(2, [b""])[0])
            self.parents[track[1][0]] = track.get(5, [0])[0]
            if 4 in track:
                self.thread_tracks[track[1][0]] = dict_of(track[4][0])[2][0]
        if 11 in packet:
            event = dict_of(packet[11][0])
            name = self.event_names.get(event.get(10, [0])[0], "")
            name = text(event[23][0]) if 23 in event else name
            arguments = {}
            for one in event.get(4, []):
                one = dict_of(one)
                value = next((one[k][0] for k in (3, 4, 7) if k in one), 0)
                arguments[self.argument_names.get(one[1][0], "")] = signed(value)
            value = signed(event.get(30, [0])[0])
            self.slices.append(
                Slice(packet[8][0], event[11][0], event[9][0], name, arguments, value))
        if 34 in packet and dict_of(packet[34][0])[1][0] == 2:
            for one in dict_of(packet[34][0]).get(2, []):
                one = dict_of(one)
                self.lost[one.get(1, [0])[0]] = one.get(3, [0])[0] + one.get(8, [0])[0]

        if 66 in packet:
            self.samples[dict_of(packet[66][0])[4][0]] += 1

    def stack_data(self, interned):
        """What samples refer to."""
        for one in map(dict_of, interned.get(5, [])):
            self.functions[one[1][0]] = text(one[2][0])
        for one in map(dict_of, interned.get(6, [])):
            self.frames[one[1][0]] = one[2][0]
        for one in map(dict_of, interned.get(7, [])):
            self.stacks[one[1][0]] = one[2]

    def sampled_stacks(self):
        """(names, outermost first; samples) of each stack."""
        for iid, count in self.samples.items():
            yield [self.functions[self.frames[frame]] for frame in self.stacks[iid]], count

    def process_tree(self, data):
        for number, entry in fields(data):
            entry = dict_of(entry)
            name = entry.get(3 if number == 1 else 2, [b""])[0]
            self.names.setdefault(entry[1][0], text(name))
            self.tgids[entry[1][0]] = entry[1][0] if number == 1 else entry[3][0]

    def bundle(self, data):
        bundle = dict_of(data)
        cpu = bundle[1][0]
        for event in bundle.get(2, []):
            self.event(cpu, dict_of(event))
        if 4 in bundle:
            self.compact(cpu, dict_of(bundle[4][0]))

    def event(self, cpu, event):
        ns, pid = event[1][0], event[2][0]
        for number, kind in (
            (4, "switch"), (20, "waking"), (329, "enter"), (330, "exit"), (491, "migrate")
        ):
            if number not in event:
                continue
            value = dict_of(event[number][0])
            if kind == "switch":
                args = (value.get(4, [0])[0], value[6][0], value[2][0])
                self.names[value[6][0]] = text(value[5][0])
                self.names[value[2][0]] = text(value[1][0])
            elif kind == "waking":
                args = (value[2][0], pid, False)
            elif kind == "migrate":
                args = (value[2][0], value.get(4, [0])[0], value.get(5, [0])[0])
            elif kind == "enter":
                args = (pid, value[1][0])
            else:
                args = (pid, value[1][0], signed(value.get(2, [0])[0]))
            self.events.append(Event(ns, cpu, kind, args))
        if 235 in event:
            born = dict_of(event[235][0])
            thread = born.get(3, [0])[0] & CLONE_THREAD
            self.tgids[born[1][0]] = self.tgids.get(pid, pid) if thread else born[1][0]
        if 236 in event:
            rename = dict_of(event[236][0])
            self.names[rename[1][0]] = text(rename[3][0])

    def compact(self, cpu, compact):
        def array(number):
            return list(packed(compact.get(number, [b""])[0]))

        table = [text(name) for name in compact.get(5, [])]
        switches = zip(running_sum(array(1)), array(2), array(3), array(4), array(6))
        for ns, state, pid, prio, comm in switches:
            self.events.append(Event(ns, cpu, "switch", (state, pid, None)))
            self.prios[pid] = min(prio, self.prios.get(pid, prio))
            self.names[pid] = table[comm]
        for ns, pid, flags in zip(running_sum(array(7)), array(8), array(12)):
            self.events.append(Event(ns, cpu, "waking", (pid, None, bool(flags & 0x18))))


def dict_of(data):
    """A message as {field number: [values]}."""
    message = collections.defaultdict(list)
    for number, value in fields(data):
        message[number].append(value)
    return message


def load(path):
    """The trace in `path`. Raises OSError, or ValueError with a text for the user."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        trace = Trace(data)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        raise ValueError("not a trace of tools/trace/convert, or truncated") from None
    if not trace.events:
        raise ValueError("no scheduling in this trace")
    return trace
