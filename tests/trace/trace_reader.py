"""Reads a .pftrace for check_trace.py: into events of harts and events of tracks, with what can be said of each by itself."""

import collections
import importlib
import os
import subprocess
import sys
import tempfile

SLICE_BEGIN, SLICE_END, INSTANT, COUNTER = 1, 2, 3, 4


class Checker:
    def __init__(self):
        self.problems = []
        self.counts = collections.Counter()

    def expect(self, condition, text, *args):
        if not condition:
            self.problems.append(text.format(*args))


def load_proto(source):
    """Compiles perfetto.proto and imports the result."""
    out = tempfile.mkdtemp(prefix="check_trace.")
    subprocess.run(
        ["protoc", "-I", os.path.dirname(source), "--python_out", out, source], check=True
    )
    sys.path.insert(0, out)
    return importlib.import_module("perfetto_pb2")


def unknown_fields(message, path="Trace"):
    """The first unknown field below message, or None."""
    for field in message.UnknownFields():
        return "{} field {}".format(path, field.field_number)
    for descriptor, value in message.ListFields():
        if descriptor.type != descriptor.TYPE_MESSAGE:
            continue
        repeated = descriptor.label == descriptor.LABEL_REPEATED
        for one in value if repeated else [value]:
            found = unknown_fields(one, path + "." + descriptor.name)
            if found:
                return found
    return None


def accumulate(deltas):
    now = 0
    for delta in deltas:
        now += delta
        yield now


Switch = collections.namedtuple("Switch", "prev state next prio comm")
Waking = collections.namedtuple("Waking", "pid target flags comm")


def compact_events(check, cpu, compact, running):
    """(stamp, kind, value) of a bundle's compact part; prev is filled in later."""
    switches = [
        compact.switch_timestamp,
        compact.switch_prev_state,
        compact.switch_next_pid,
        compact.switch_next_prio,
        compact.switch_next_comm_index,
    ]
    wakings = [
        compact.waking_timestamp,
        compact.waking_pid,
        compact.waking_target_cpu,
        compact.waking_prio,
        compact.waking_comm_index,
        compact.waking_common_flags,
    ]
    for arrays in switches, wakings:
        check.expect(len({len(a) for a in arrays}) == 1, "hart {}: compact arrays differ", cpu)
    table = compact.intern_table
    for ns, state, pid, prio, comm in zip(accumulate(switches[0]), *switches[1:]):
        yield ns, "switch", Switch(None, state, pid, prio, table[comm])
    for ns, pid, target, _, comm, flags in zip(accumulate(wakings[0]), *wakings[1:]):
        yield ns, "waking", Waking(pid, target, flags, table[comm])


def hart_events(check, trace):
    """All ftrace events as {cpu: [(ns, kind, pid, value)]}, sorted by time."""
    harts = collections.defaultdict(list)
    for packet in trace.packet:
        if not packet.HasField("ftrace_events"):
            continue
        bundle = packet.ftrace_events
        check.expect(bundle.HasField("cpu"), "a bundle without a hart")
        events = harts[bundle.cpu]
        for event in bundle.event:
            check.expect(event.HasField("pid"), "an event without pid at {}", event.timestamp)
            kind = event.WhichOneof("event")
            value = getattr(event, kind)
            if kind == "sched_switch":
                kind = "switch"
                value = Switch(
                    value.prev_pid,
                    value.prev_state,
                    value.next_pid,
                    value.next_prio,
                    value.next_comm,
                )
            elif kind == "sched_waking":
                kind = "waking"
                value = Waking(value.pid, value.target_cpu, 0, value.comm)
            events.append((event.timestamp, kind, event.pid, value))
        for ns, kind, value in compact_events(check, bundle.cpu, bundle.compact_sched, None):
            events.append((ns, kind, None, value))
    for cpu, events in harts.items():
        events.sort(key=lambda e: e[0])
        for before, after in zip(events, events[1:]):
            check.expect(
                before[0] < after[0], "hart {}: two events at {} ns", cpu, before[0]
            )
    return harts


class Names:
    """Interned names of the TrackEvent sequence."""

    def __init__(self):
        self.events, self.categories, self.annotations = {}, {}, {}

    def learn(self, data):
        for table, names in (
            (self.events, data.event_names),
            (self.categories, data.event_categories),
            (self.annotations, data.debug_annotation_names),
        ):
            for name in names:
                table[name.iid] = name.name


def track_events(check, trace):
    """(ns, order, track, event, name) of TrackEvents, and {track: tid}."""
    names, threads, tracks, events = Names(), {}, set(), []
    counters, depth = set(), collections.Counter()
    seen_clear = False
    last = 0
    for packet in trace.packet:
        if packet.HasField("interned_data") and packet.interned_data.event_names:
            names.learn(packet.interned_data)
            seen_clear = packet.sequence_flags & 1
        if packet.HasField("track_descriptor"):
            tracks.add(packet.track_descriptor.uuid)
            if packet.track_descriptor.HasField("counter"):
                counters.add(packet.track_descriptor.uuid)
            if packet.track_descriptor.HasField("thread"):
                threads[packet.track_descriptor.uuid] = packet.track_descriptor.thread.tid
        if not packet.HasField("track_event"):
            continue
        event = packet.track_event
        check.expect(seen_clear and packet.trusted_packet_sequence_id, "event before its names")
        check.expect(event.track_uuid in tracks, "event on unknown track {}", event.track_uuid)
        check.expect(packet.timestamp >= last, "TrackEvents out of order at {}", packet.timestamp)
        last = packet.timestamp
        check.expect((event.type == COUNTER) == (event.track_uuid in counters),
                     "a figure on no counter track, or the reverse: {}", event.track_uuid)
        if event.type == COUNTER:
            check.expect(event.HasField("counter_value"), "counter without a value at {}", last)
            check.expect(event.counter_value >= 0, "{} threads or pages", event.counter_value)
            check.counts["figures"] += 1
            continue
        if event.track_uuid not in threads and event.type != INSTANT:
            depth[event.track_uuid] += 1 if event.type == SLICE_BEGIN else -1
            check.expect(depth[event.track_uuid] in (0, 1), "track {}: slices of a hart overlap at {}",
                         event.track_uuid, last)
        name = event.name or names.events.get(event.name_iid)
        if event.type == INSTANT:
            check.counts[name] += 1
        if event.type != SLICE_END:
            check.expect(name, "unknown name {}", event.name_iid)
            for iid in event.category_iids:
                check.expect(iid in names.categories, "unknown category {}", iid)
        for annotation in event.debug_annotations:
            check.expect(
                annotation.name_iid in names.annotations, "unknown argument {}", annotation.name_iid
            )
        events.append((packet.timestamp, event, name))
    return events, threads, names.annotations
