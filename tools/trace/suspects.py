"""Patterns in a story that usually explain why something was slow. Each names who, and by how much."""

import story

MANY = 50  # a pattern must repeat this often to be one


def milliseconds(ns):
    """A time for a sentence."""
    return f"{ns / 1e6:.1f} ms"


def lock_convoys(s):
    """Several threads always queue for one futex: each release wakes one, which takes it and sleeps for it again."""
    span = max(1, s.end - s.begin)
    for futex in sorted(s.futexes.values(), key=lambda f: -f.total):
        queue = futex.total / span
        if futex.waits >= MANY and len(futex.threads) >= 3 and queue >= 1.5:
            yield (f"lock convoy: {len(futex.threads)} threads queue for the futex at 0x{futex.address:x},"
                   f" {queue:.1f} of them at any time; {futex.waits} waits of {milliseconds(futex.total / futex.waits)}"
                   " on average")


def moving_threads(s):
    """A thread that runs on another hart nearly each time: its caches, and its waker's, go with it."""
    for tid, moves in s.moves.most_common(4):
        if moves >= MANY and moves * 2 >= s.runs[tid]:
            yield (f"ping-pong between harts: {s.name(tid)} changed its hart {moves} times in {s.runs[tid]} runs;"
                   " pin it, or look at who wakes it")


def priority_inversions(s):
    """A thread waits for one of lower priority, which cannot run because one in between has its hart."""
    worst = {}
    for wait in s.waits:
        mine, theirs = s.trace.prios.get(wait.tid), s.trace.prios.get(wait.waker)
        if mine is None or theirs is None or mine >= theirs or mine >= 100:
            continue
        for ready in s.spans[wait.waker]:
            if ready.state != story.READY or ready.end <= wait.begin or ready.begin >= wait.end:
                continue
            for run in s.on_hart[ready.cpu]:
                between = min(run.end, ready.end, wait.end) - max(run.begin, ready.begin, wait.begin)
                if between <= 0 or not mine < s.trace.prios.get(run.tid, 0) < theirs:
                    continue
                key = wait.tid, wait.waker, run.tid
                worst[key] = worst.get(key, 0) + between
    for (high, low, middle), ns in sorted(worst.items(), key=lambda item: -item[1])[:2]:
        if ns > 1e6:
            yield (f"priority inversion: {s.name(high)} (priority {s.trace.prios[high]}) waited for {s.name(low)}"
                   f" ({s.trace.prios[low]}), which did not run while {s.name(middle)} ({s.trace.prios[middle]})"
                   f" had its hart: {milliseconds(ns)}")


def bucket_collisions(s):
    """Futexes that have nothing to do with each other share a bucket of the hash, and so its lock."""
    for bucket, users in sorted(s.buckets.items(), key=lambda item: -sum(item[1].values())):
        busy = [(key, n) for key, n in users.most_common() if n >= MANY]
        if len(busy) >= 2:
            names = " and ".join(f"0x{address:x} ({n} uses)" for (_, address), n in busy[:3])
            yield f"futex hash collision: {names} share bucket {bucket}"


def find(s):
    """All suspects, as sentences."""
    for look in (priority_inversions, lock_convoys, bucket_collisions, moving_threads):
        yield from look(s)
