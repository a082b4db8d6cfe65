"""What happened in a trace, added up: who ran, who waited for a hart, for whom and for what."""

import collections
import heapq

import perfetto_file

RUN, READY = "run", "ready"

Wait = collections.namedtuple("Wait", "tid begin end waker where")
Step = collections.namedtuple("Step", "at waker wakee ran waited")
Span = collections.namedtuple("Span", "begin end tid state cpu")


class Waits:
    """Waits for one lock or futex."""

    def __init__(self, address=0):
        self.address, self.waits, self.wakes = address, 0, 0
        self.total, self.longest = 0, 0
        self.threads = set()
        self.holders = collections.Counter()  # waits by who held it when they began, as far as is known

    def add(self, tid, ns):
        """One more wait of thread `tid`."""
        self.waits += 1
        self.total += ns
        self.longest = max(self.longest, ns)
        self.threads.add(tid)


class Story:
    """Follows all threads through the trace once."""

    def __init__(self, trace):
        self.trace = trace
        self.begin, self.end = trace.events[0].ns, trace.events[-1].ns
        self.busy, self.switches = collections.Counter(), collections.Counter()
        self.latency = collections.defaultdict(list)  # tid -> ns
        self.calls = collections.defaultdict(list)  # name -> ns
        self.call_errors = collections.Counter()
        self.futexes = {}  # (process, address) -> Waits
        self.buckets = collections.defaultdict(collections.Counter)  # bucket -> {(process, address): uses}
        self.locks = collections.defaultdict(Waits)  # name -> Waits
        self.waits = []  # of threads, ended by another thread
        self.longest_wait = None
        self.runs, self.moves = collections.Counter(), collections.Counter()  # by tid
        self.handoffs, self.handoffs_across = collections.Counter(), collections.Counter()  # by (waker, wakee)
        self.spans = collections.defaultdict(list)  # tid -> Spans: running, or ready and waiting for a hart
        self.on_hart = collections.defaultdict(list)  # cpu -> Spans of running
        self._current, self._since = {}, {}  # by cpu
        self._ready, self._asleep, self._woken, self._last_cpu = {}, {}, {}, {}  # by tid
        self._open = collections.defaultdict(list)  # tid or track -> open slices
        self._call = {}
        for event in heapq.merge(trace.events, trace.slices, key=lambda e: e.ns):
            if isinstance(event, perfetto_file.Event):
                getattr(self, "_" + event.kind)(event)
            else:
                self._slice(event)
        for cpu, tid in self._current.items():
            self._ran(cpu, tid, self.end)
        self.waits.sort(key=lambda w: w.end - w.begin)
        self.longest_wait = self.waits[-1] if self.waits else None

    def name(self, tid):
        """A thread's name and number."""
        return f"{self.trace.names.get(tid, '?')}-{tid}" if tid else "an interrupt"

    def process(self, tid):
        """The number of its process."""
        return self.trace.tgids.get(tid, tid)

    # ---- the scheduler ----

    def _ran(self, cpu, tid, ns):
        since = self._since[cpu]
        if tid:
            self.busy[cpu] += ns - since
            span = Span(since, ns, tid, RUN, cpu)
            self.spans[tid].append(span)
            self.on_hart[cpu].append(span)

    def _switch(self, event):
        state, tid, prev = event.args
        cpu, ns = event.cpu, event.ns
        leaving = self._current.get(cpu, prev)
        if cpu in self._current:
            self._ran(cpu, leaving, ns)
        self.switches[cpu] += 1
        if leaving and (state == perfetto_file.PREEMPTED or state == 0):
            self._ready[leaving] = ns
        elif leaving:
            self._asleep[leaving] = ns
        self._current[cpu], self._since[cpu] = tid, ns
        if tid:
            self._runs(tid, cpu, ns)

    def _runs(self, tid, cpu, ns):
        ready = self._ready.pop(tid, None)
        if ready is not None:
            self.spans[tid].append(Span(ready, ns, tid, READY, cpu))
        woken = self._woken.pop(tid, None)
        if woken is not None:
            self.latency[tid].append(ns - woken)
        self.runs[tid] += 1
        if self._last_cpu.get(tid, cpu) != cpu:
            self.moves[tid] += 1
        self._last_cpu[tid] = cpu

    def _waking(self, event):
        tid, _, irq = event.args
        ns = event.ns
        self._ready[tid] = self._woken[tid] = ns
        waker = 0 if irq else self._current.get(event.cpu, 0)
        slept = self._asleep.pop(tid, None)
        if waker and slept is not None:
            where = self._open[tid][-1].name if self._open[tid] else None
            self.waits.append(Wait(tid, slept, ns, waker, where))
            self.handoffs[waker, tid] += 1
            self.handoffs_across[waker, tid] += self._last_cpu.get(tid, event.cpu) != event.cpu

    def _migrate(self, event):
        """Seen by where the thread runs next."""

    def _enter(self, event):
        tid, number = event.args
        self._call[tid] = (event.ns, number)

    def _exit(self, event):
        tid, number, result = event.args
        begin, number = self._call.pop(tid, (None, number))
        if begin is None:
            return
        name = self.trace.call_name(number)
        self.calls[name].append(event.ns - begin)
        self.call_errors[name] += -4096 < result < 0

    # ---- slices ----

    def _slice(self, event):
        tid = self.trace.thread_tracks.get(event.track)
        key = event.track if tid is None else tid
        if event.type == perfetto_file.BEGIN:
            self._open[key].append(event)
            if event.name in ("futex_wait", "futex_wake") and tid is not None:
                self._futex_use(tid, event)
        elif event.type == perfetto_file.END and self._open[key]:
            self._slice_end(tid, self._open[key].pop(), event.ns)
        elif event.name == "queued" and self._open[key]:
            address = self._open[key][-1].arguments.get("uaddr", 0)
            self.buckets[event.arguments["bucket"]][self.process(tid), address] += 1
        elif event.name == "priority" and not event.arguments.get("boosted"):
            mine = event.arguments["new"]
            self.trace.prios[tid] = min(mine, self.trace.prios.get(tid, mine))

    def _futex_use(self, tid, event):
        key = self.process(tid), event.arguments.get("uaddr", 0)
        futex = self.futexes.setdefault(key, Waits(key[1]))
        futex.wakes += event.name == "futex_wake"

    def _slice_end(self, tid, begin, ns):
        if begin.name == "futex_wait" and tid is not None:
            self.futexes[self.process(tid), begin.arguments.get("uaddr", 0)].add(tid, ns - begin.ns)
        elif begin.name.startswith(("mutex ", "spin lock ")):
            lock = self.locks[begin.name]
            lock.add(tid or begin.arguments.get("tid", 0), ns - begin.ns)
            if "holder" in begin.arguments:
                lock.holders[begin.arguments["holder"]] += 1

    # ---- paths ----

    def time_in(self, tid, state, begin, end):
        """How long thread `tid` was in `state` between two moments."""
        return sum(max(0, min(s.end, end) - max(s.begin, begin))
                   for s in self.spans[tid] if s.state == state)

    def path(self, wait, steps=8):
        """Backwards: who ended the wait, who had woken that one meanwhile, and so on."""
        for _ in range(steps):
            yield Step(wait.end, wait.waker, wait.tid,
                       self.time_in(wait.waker, RUN, wait.begin, wait.end),
                       self.time_in(wait.waker, READY, wait.begin, wait.end))
            before = [w for w in self.waits
                      if w.tid == wait.waker and wait.begin < w.end < wait.end]
            if not before:
                return
            last = max(before, key=lambda w: w.end)
            wait = last._replace(begin=max(last.begin, wait.begin))
