#!/usr/bin/python3
"""check_trace.py [--dump DUMP] [--expect KEY=MIN]... [--call NR:ARGS]... [--proto FILE] FILE: checks a .pftrace.

Uses nothing of the converter: decodes with protoc's own code from perfetto.proto and demands what
readers of the format demand: no unknown field, stamps in order, each switch leaving the thread that
the last one chose, no thread on two harts, no wake-up before the wakee has left its hart, futex
wakers that ran on the hart that woke, nested slices, flows with two ends, known names, all harts
told from one moment on. With --dump the losses must be those of the dump's rings, with --expect
there must be at least MIN of KEY, with --call a system call with exactly these arguments.

Prints what it counted as KEY=VALUE and exits 0; else one line per problem and 1.
"""

import argparse
import bisect
import collections
import os
import struct
import sys

from trace_reader import (INSTANT, SLICE_BEGIN, SLICE_END, Checker, hart_events, load_proto, track_events,
                          unknown_fields)

MAX_REPORTED = 20
PREEMPTED = 0x100
DEAD = 0x10
KERNEL_THREADS = 0x400001  # ids from here on
WAKERS = {"futex_wake", "futex_requeue", "futex_unlock_pi", "semop", "msgsnd", "msgrcv", "mq_send", "mq_receive", "send", "receive",
          "connect", "accept"}  # slices that may wake
TICK_NS = 1000  # a tick of the clock, and what one of them may hold
IRQ_FLAG = 8  # of a waking: by an interrupt


def check_scheduling(check, harts):
    """Follows every thread over all harts. Returns {(ns): running thread} lookups for wakers."""
    merged = sorted(
        ((ns, cpu, kind, pid, value) for cpu, events in harts.items()
         for ns, kind, pid, value in events),
        key=lambda e: e[0],
    )
    current = {}  # hart -> tid
    where = {}  # tid -> hart
    state = {}  # tid -> "running", "blocked", "runnable", "dead"
    for ns, cpu, kind, pid, value in merged:
        if kind == "switch":
            check.counts["switches"] += 1
            if value.prev is None:
                check.expect(cpu in current, "hart {}: compact switch first", cpu)
                prev = current.get(cpu)
            else:
                prev = value.prev
                check.counts["full_switches"] += 1
            check.expect(
                current.get(cpu, prev) == prev or value.prev is not None,
                "hart {} at {}: prev {} but {} ran", cpu, ns, prev, current.get(cpu),
            )
            if prev:
                check.expect(
                    where.get(prev, cpu) == cpu, "thread {} leaves hart {} at {} but ran on {}",
                    prev, cpu, ns, where.get(prev),
                )
                where.pop(prev, None)
                state[prev] = {0: "runnable", PREEMPTED: "runnable", DEAD: "dead"}.get(
                    value.state, "blocked"
                )
                check.expect(
                    value.state in (1, 2, 4, DEAD, PREEMPTED),
                    "thread {} leaves in state {:#x}", prev, value.state,
                )
            if value.next:
                check.expect(
                    value.next not in where, "thread {} on harts {} and {} at {}",
                    value.next, where.get(value.next), cpu, ns,
                )
                if state.get(value.next) == "blocked":
                    check.counts["unexplained_runs"] += 1
                check.expect(
                    state.get(value.next) != "dead", "dead thread {} runs at {}", value.next, ns
                )
                where[value.next] = cpu
                state[value.next] = "running"
                check.counts["kernel_thread_runs"] += value.next >= KERNEL_THREADS
            check.expect(
                value.comm.startswith("swapper/") == (value.next == 0),
                "thread {} is called {!r}", value.next, value.comm,
            )
            current[cpu] = value.next
        elif kind == "waking":
            check.counts["wakings"] += 1
            check.expect(
                state.get(value.pid, "blocked") == "blocked",
                "waking of {} thread {} at {}", state.get(value.pid), value.pid, ns,
            )
            state[value.pid] = "runnable"
            check.counts["kernel_thread_wakings"] += value.pid >= KERNEL_THREADS
        elif kind == "task_newtask":
            check.counts["births"] += 1
            state.pop(value.pid, None)
            where.pop(value.pid, None)
            state[value.pid] = "runnable"
        elif kind == "sched_process_free":
            check.expect(state.get(value.pid) == "dead", "living thread {} freed", value.pid)
    return merged


def check_slices(check, merged, events, threads):
    """System calls, futex and fault slices of a thread share its track: they must nest."""
    timeline = []
    for order, (ns, _, kind, pid, value) in enumerate(merged):
        if kind in ("sys_enter", "sys_exit"):
            timeline.append((ns, order, pid, kind, value.id))
    for order, (ns, event, name) in enumerate(events):
        if event.track_uuid in threads:
            kind = {SLICE_BEGIN: "begin", SLICE_END: "end", INSTANT: "instant"}[event.type]
            timeline.append((ns, order, threads[event.track_uuid], kind, name))
    timeline.sort(key=lambda e: (e[0], e[1]))
    stacks = collections.defaultdict(list)
    for ns, _, tid, kind, name in timeline:
        stack = stacks[tid]
        if kind == "sys_enter":
            check.expect(not stack, "thread {}: call inside {} at {}", tid, stack, ns)
            stack.append(("call", name))
            check.counts["calls"] += 1
        elif kind == "sys_exit":
            check.expect(
                stack == [("call", name)], "thread {}: call {} returns from {} at {}",
                tid, name, stack, ns,
            )
            stack.clear()
        elif kind == "instant" and name == "wake":
            check.expect(
                stack and stack[-1][0] == "slice" and stack[-1][1] in WAKERS,
                "thread {}: wakes in {} at {}", tid, stack, ns,
            )
        elif kind == "begin":
            stack.append(("slice", name))
            check.counts[name] += 1
        elif kind == "end":
            check.expect(
                stack and stack[-1][0] == "slice", "thread {}: end of {} at {}", tid, stack, ns
            )
            if stack:
                stack.pop()
    for tid, stack in stacks.items():
        check.counts["open_slices"] += len(stack)


def check_wakers(check, merged, events, threads):
    """Wakers on threads' tracks must be those that readers find by the scheduling."""
    timeline = [(ns, "sched", (cpu, kind, value)) for ns, cpu, kind, _, value in merged
                if kind in ("switch", "waking")]
    timeline += [(ns, "track", (event, name)) for ns, event, name in events
                 if name in ("wake", "woken") and event.type != SLICE_END]
    timeline.sort(key=lambda e: e[0])
    current, waking, woken_by_flow = {}, {}, {}
    for ns, source, what in timeline:
        if source == "sched":
            cpu, kind, value = what
            if kind == "waking":
                waker = "irq" if value.flags & IRQ_FLAG else current.get(cpu)
                waking[value.pid] = (waker, cpu)
                continue
            current[cpu] = value.next
            _, waker_cpu = waking.get(value.next, (None, cpu))
            check.counts["cross_hart_wakings"] += waker_cpu != cpu
            waking.pop(value.next, None)
            continue
        event, name = what
        tid = threads.get(event.track_uuid)
        if name == "wake":
            wakee = event.debug_annotations[0].int_value
            waker, _ = waking.get(wakee, ("nobody", None))
            # None: before the first switch of the waker's hart.
            check.expect(
                waker in (tid, None), "thread {} is said to wake {} at {}, it was {}", tid, wakee,
                ns, waker,
            )
            check.counts["wakers"] += waker == tid
            woken_by_flow.update((flow, wakee) for flow in event.flow_ids)
        else:
            for flow in event.terminating_flow_ids:
                check.expect(
                    woken_by_flow.get(flow) == tid, "flow {} of {} ends at thread {}", flow,
                    woken_by_flow.get(flow), tid,
                )


def check_flows(check, events):
    begun, ended = {}, set()
    for ns, event, name in events:
        for flow in event.flow_ids:
            check.expect(flow not in begun, "flow {} begins twice", flow)
            begun[flow] = ns
        for flow in event.terminating_flow_ids:
            check.expect(begun.get(flow, ns + 1) <= ns, "flow {} ends before it begins", flow)
            check.expect(flow not in ended, "flow {} ends twice", flow)
            ended.add(flow)
    check.counts["flows"] = len(ended)
    check.counts["open_flows"] = len(begun) - len(ended)


def check_irqs(check, harts):
    for cpu, events in harts.items():
        open_irq = None
        for ns, kind, _, value in events:
            if kind == "irq_handler_entry":
                check.expect(open_irq is None, "hart {}: nested interrupt at {}", cpu, ns)
                check.expect(value.name, "hart {}: interrupt without a name", cpu)
                open_irq = value.irq
                check.counts["irqs"] += 1
            elif kind == "irq_handler_exit":
                check.expect(open_irq == value.irq, "hart {}: wrong interrupt ends at {}", cpu, ns)
                open_irq = None


def check_calls(check, merged, wanted):
    """Each NR:ARGS must have been made; arguments as numbers with commas."""
    made = {(value.id, tuple(value.args)) for _, _, kind, _, value in merged if kind == "sys_enter"}
    for text in wanted:
        number, _, arguments = text.partition(":")
        call = int(number), tuple(int(word, 0) for word in arguments.split(","))
        check.expect(any(nr == call[0] and args[:len(call[1])] == call[1] for nr, args in made),
                     "no call {}", text)


def check_numbered(check, events, numbers):
    """Markers "#HART NUMBER": of each hart that has any, all up to NUMBERS - 1 from the first that is left."""
    seen = collections.defaultdict(list)
    for _, event, name in events:
        if event.type == INSTANT and name.startswith("#"):
            hart, number = name[1:].split()
            seen[hart].append(int(number))
    for hart, found in seen.items():
        check.expect(found == list(range(found[0], numbers)), "hart {}: not all of {} to {}", hart,
                     found[0], numbers - 1)
        check.counts["numbered"] += len(found)


def threads_around(switches, ns):
    """Who ran at `ns`, to the clock's precision: events of one tick are spread over it."""
    first = bisect.bisect_left(switches, (ns - TICK_NS, 0)) - 1
    last = bisect.bisect_right(switches, (ns + TICK_NS, 0))
    return {tid for _, tid in switches[max(first, 0):last]} if first >= 0 else set()


def switches_by_hart(merged):
    """{cpu: [(ns, tid)]}: who runs from when."""
    switches = collections.defaultdict(list)
    for ns, cpu, kind, _, value in merged:
        if kind == "switch":
            switches[cpu].append((ns, value.next))
    return switches


def check_holders(check, events, arguments, switches):
    """Who is said to hold a spin lock runs on the hart that is said to hold it."""
    for ns, event, name in events:
        if event.type != SLICE_BEGIN or not name.startswith("spin lock "):
            continue
        found = {arguments[a.name_iid]: a.uint_value for a in event.debug_annotations}
        check.counts["spins"] += 1
        if "holder_hart" not in found:
            continue
        ran = threads_around(switches[found["holder_hart"]], ns)
        check.expect(not ran or found.get("holder") in ran, "spin at {}: held by {} on hart {}, but {} ran",
                     ns, found.get("holder"), found["holder_hart"], ran)
        check.counts["spin_holders"] += 1


def check_samples(check, trace, switches):
    """Samples are of the thread that ran there, in order, and everything that they refer to is known."""
    packets = [p for p in trace.packet if p.HasField("perf_sample")]
    if not packets:
        return
    data, = (p.interned_data for p in trace.packet
             if p.HasField("interned_data") and p.interned_data.callstacks)
    texts = {t.iid for t in data.function_names if t.str}
    paths = {t.iid for t in data.mapping_paths}
    mappings = {m.iid for m in data.mappings if set(m.path_string_ids) <= paths}
    frames = {f.iid for f in data.frames if f.function_name_id in texts and f.mapping_id in mappings}
    stacks = {c.iid for c in data.callstacks if c.frame_ids and set(c.frame_ids) <= frames}
    check.expect(len(stacks) == len(data.callstacks), "stacks of unknown frames, or empty ones")
    last = 0
    for packet in packets:
        sample = packet.perf_sample
        check.expect(packet.timestamp >= last, "samples out of order at {}", packet.timestamp)
        last = packet.timestamp
        ran = threads_around(switches[sample.cpu], last)
        check.expect(not ran or sample.tid in ran, "hart {} at {}: a sample of thread {}, but {} ran",
                     sample.cpu, last, sample.tid, ran)
        check.expect(sample.callstack_iid in stacks, "unknown stack {}", sample.callstack_iid)
        check.expect(sample.cpu_mode in (1, 2), "mode {}", sample.cpu_mode)
        check.counts["samples"] += 1
        check.counts["kernel_samples"] += sample.cpu_mode == 1


def ring_losses(path):
    """{cpu: (overwritten, refused)} from a dump, by struct: written from docs/tracing.md."""
    with open(path, "rb") as file:
        data = file.read()
    nr_cpus, nr_rings = struct.unpack_from("<II", data, 48)
    losses = {cpu: [0, 0] for cpu in range(nr_cpus)}
    for i in range(nr_rings):
        fields = struct.unpack_from("<QQQQQQQHHI", data, 128 + 64 * i)
        _, head, _, lost, mask, _, _, cpu, _, _ = fields
        losses[cpu][0] += max(0, head - (mask + 1))
        losses[cpu][1] += lost
    return losses


def check_frame(check, trace):
    """What the file says once: the system, clocks, processes, losses."""
    info = [p.system_info for p in trace.packet if p.HasField("system_info")]
    check.expect(len(info) == 1 and info[0].utsname.sysname == "Linux", "system information")
    clocks = [p.clock_snapshot for p in trace.packet if p.HasField("clock_snapshot")]
    check.expect(
        len(clocks) == 1 and {c.clock_id for c in clocks[0].clocks} == {1, 6}, "clock snapshot"
    )
    trees = [p.process_tree for p in trace.packet if p.HasField("process_tree")]
    check.expect(len(trees) == 2, "{} process trees", len(trees))
    stats = [p.ftrace_stats for p in trace.packet if p.HasField("ftrace_stats")]
    check.expect([s.phase for s in stats] == [1, 2], "phases of the statistics")
    return trees, stats


def check_losses(check, trace, stats, dump):
    lost = {s.cpu: (s.overrun, s.dropped_events) for s in stats[-1].cpu_stats}
    check.counts["lost"] = sum(sum(pair) for pair in lost.values())
    first = {}
    for packet in trace.packet:
        if packet.HasField("ftrace_events"):
            first.setdefault(packet.ftrace_events.cpu, packet.ftrace_events)
    for cpu, bundle in first.items():
        check.expect(
            bundle.lost_events == bool(sum(lost[cpu])), "hart {}: loss flag and count", cpu
        )
        check.expect(bundle.previous_bundle_end_timestamp, "hart {}: no start of its data", cpu)
    if dump:
        for cpu, (overwritten, refused) in ring_losses(dump).items():
            check.expect(
                lost.get(cpu) == (overwritten, refused), "hart {}: {} lost, the dump says {}",
                cpu, lost.get(cpu), (overwritten, refused),
            )


def check_beginning(check, trace, harts):
    """A hart told from earlier than the others would show the ends of what began elsewhere."""
    bundles = [p.ftrace_events for p in trace.packet if p.HasField("ftrace_events")]
    first = {}
    for bundle in bundles:
        first.setdefault(bundle.cpu, bundle.previous_bundle_end_timestamp)
    check.expect(len(set(first.values())) <= 1, "harts begin at {}", first)
    for cpu, events in harts.items():
        check.expect(
            not events or events[0][0] >= first[cpu], "hart {}: something before it begins", cpu
        )


def check_births(check, trees, merged):
    """A thread listed at the start and born later would be two."""
    at_start = {p.pid for p in trees[0].processes} | {t.tid for t in trees[0].threads}
    seen = set()
    for ns, _, kind, _, value in merged:
        if kind == "task_newtask":
            check.expect(
                value.pid not in at_start or value.pid in seen,
                "thread {} is in the first tree and born at {}", value.pid, ns,
            )
            seen.add(value.pid)
        elif kind == "sched_process_free":
            seen.add(value.pid)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dump", help="the dump that the trace was made of")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--proto", default=os.path.join(here, "perfetto.proto"))
    parser.add_argument("--expect", action="append", default=[], metavar="KEY=MIN")
    parser.add_argument("--call", action="append", default=[], metavar="NR:ARGS")
    parser.add_argument("--numbered", type=int, metavar="COUNT", help="markers \"#HART NUMBER\" are complete")
    parser.add_argument("file")
    args = parser.parse_args()

    proto = load_proto(args.proto)
    trace = proto.Trace()
    with open(args.file, "rb") as file:
        trace.ParseFromString(file.read())
    check = Checker()
    unknown = unknown_fields(trace)
    check.expect(unknown is None, "unknown: {}", unknown)
    trees, stats = check_frame(check, trace)
    harts = hart_events(check, trace)
    merged = check_scheduling(check, harts)
    events, threads, arguments = track_events(check, trace)
    check_slices(check, merged, events, threads)
    check_wakers(check, merged, events, threads)
    check_flows(check, events)
    check_beginning(check, trace, harts)
    check_irqs(check, harts)
    check_births(check, trees, merged)
    check_calls(check, merged, args.call)
    switches = switches_by_hart(merged)
    check_samples(check, trace, switches)
    check_holders(check, events, arguments, switches)
    if args.numbered:
        check_numbered(check, events, args.numbered)
    check.counts["tcp_states"] = sum(kind == "inet_sock_set_state" for _, _, kind, _, _ in merged)
    check_losses(check, trace, stats, args.dump)
    for key, least in (pair.split("=") for pair in args.expect):
        check.expect(
            check.counts[key] >= int(least), "{} is {}, not {}", key, check.counts[key], least
        )

    for problem in check.problems[:MAX_REPORTED]:
        print(problem, file=sys.stderr)
    if check.problems:
        print("{} problems".format(len(check.problems)), file=sys.stderr)
        return 1
    for key, value in sorted(check.counts.items()):
        print("{}={}".format(key, value))
    return 0


if __name__ == "__main__":
    sys.exit(main())
