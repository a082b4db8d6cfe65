"""Unmodified programs of Debian as benchmarks: runs their commands in a guest, reads their figures.

All commands of a batch run in one boot, one after the other, under a shell script that says where
each begins and how it ended. A command that had to be killed may leave processes behind that would
disturb the next one, and a kernel may die: then the rest of the batch gets another boot. What a
command cannot do is told in words, never by a figure.
"""

import re
import shlex

from tools.guest.process import say
from tools.guest.session import Streams

_SCRIPT = "etc/stellar/bench.sh"
_BOOT_TIME = 60
_LEFT_BEHIND = 124
_KILLED = 128 + 9
_SECTION = re.compile(r"^@begin (\S+)\n(.*?)(?:^@end (\d+)\n|\Z)", re.MULTILINE | re.DOTALL)
_UNSUPPORTED = re.compile(r"^.*(?:function not implemented|not supported|unsupported|ENOSYS).*$",
                          re.MULTILINE | re.IGNORECASE)


def script(runs):
    """The shell script that runs name -> (command, line)."""
    parts = []
    for name, (command, line) in runs.items():
        parts.append(f"echo '@begin {name}'\n"
                     f"busybox timeout -s KILL {command.timeout} busybox sh -c {shlex.quote(line)} "
                     "2>&1 </dev/null\n"
                     "status=$?; echo; echo \"@end $status\"\n"
                     f"[ $status -lt {_LEFT_BEHIND} ] || exit 0\n")
    return "".join(parts)


def figure(command, status, output):
    """What a command's end means: (figure, None), or (None, why there is none)."""
    found = [float(text) for text in re.findall(command.result, output, re.MULTILINE)]
    if status == 0 and found and min(found) >= 0 and sum(found) > 0:
        return sum(found) / len(found), None
    unsupported = _UNSUPPORTED.search(output)
    if unsupported:
        return None, f"not supported: {unsupported[0].strip()}"
    if status == _KILLED:
        return None, f"failed: no end after {command.timeout} s"
    lines = output.strip().splitlines() or ["no output"]
    return None, f"failed: exit status {status}: {lines[-1].strip()}"


def run_batch(make_guest, batch, took):
    """Runs a batch; calls took(name, figure or None, why) for each of its commands, in order.

    `make_guest(packages)` gives a fresh guest with these packages.
    """
    left = dict(batch.runs)
    while left:
        guest = make_guest(batch.packages())
        guest.tree.add_file(_SCRIPT, script(left).encode())
        limit = _BOOT_TIME + sum(command.timeout for command, _ in left.values())
        result = guest.run(["busybox", "sh", "/" + _SCRIPT], Streams(), timeout=limit)
        sections = _SECTION.findall(result.outcome.stdout.decode(errors="replace"))
        for name, output, status in sections:
            command, _ = left.pop(name)
            if status:
                took(name, *figure(command, int(status), output))
            else:
                took(name, None, f"failed: {result.error or 'the run ended in it'}")
                say(f"{name}: {result.error}\n{result.detail}")
        if not sections:
            for name in left:
                took(name, None, f"failed: {result.error or 'the guest ran nothing'}")
            return
