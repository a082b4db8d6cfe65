#!/usr/bin/env python3
"""Compares every constant of abi/*.h with the headers of the riscv64 Linux C library.

Each `#define NAME value` becomes a static assertion that Linux's NAME has our value, compiled by the cross compiler;
names that the installed headers do not have are skipped and counted. Usage: abi_test.py FILE.h...
"""
import re
import subprocess
import sys

COMPILER = "riscv64-linux-gnu-gcc"
DEFINE = re.compile(r"^#define (?P<name>[A-Za-z_]\w*)\s+(?P<value>\S.*?)\s*$", re.M)
COMMENT = re.compile(r"/\*.*?\*/", re.S)

# What the kernel's own headers say beside the numbers: guards, restart codes, helpers, what glibc shows differently to programs.
OURS = re.compile(
    r"(ABI_|CLONE_ARGS|ERESTART(SYS|NO|_)|NSEC|USEC|UTS_FIELD|USER_HZ|ELF_MAGIC|SIGRTMIN|NSIG|POLL(MSG)?$|TMPFS|ST_(VALID|RELATIME)|"
    r"MINSIGSTKSZ|F_(GET|SET)LKW?$|__W|FUTEX_32|O_LARGEFILE|SIGMASK|RLIM_NLIMITS|SCHED_ATTR_SIZE|__WNOTHREAD)"
)

LINUX_HEADERS = """
#define _GNU_SOURCE
#include <asm/errno.h>
#include <asm/hwprobe.h>
#include <asm/signal.h>
#include <asm/siginfo.h>
#include <asm/stat.h>
#include <asm/poll.h>
#include <asm/termios.h>
#include <asm/resource.h>
#include <asm/ioctls.h>
#include <linux/auxvec.h>
#include <linux/capability.h>
#include <linux/elf.h>
#include <linux/fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/ioprio.h>
#include <linux/ipc.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <linux/inotify.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/mqueue.h>
#include <linux/msg.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/audit.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/close_range.h>
#include <linux/resource.h>
#include <sys/socket.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/inet_diag.h>
#include <linux/unix_diag.h>
#include <linux/rtnetlink.h>
#include <linux/if_link.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/fib_rules.h>
#include <linux/route.h>
#include <linux/un.h>
#include <unistd.h>
"""


def constants(path):
    text = COMMENT.sub("", open(path).read()).replace("\\\n", " ")
    for match in DEFINE.finditer(text):
        if not OURS.match(match["name"]):
            yield match["name"], match["value"]


def known_headers():
    """LINUX_HEADERS without those that are not installed."""
    lines = []
    for line in LINUX_HEADERS.split("\n"):
        probe = "\n".join(lines + [line])
        if "include" not in line or compiles(probe):
            lines.append(line)
    return "\n".join(lines)


def run(source, *options):
    command = [COMPILER, "-std=gnu17", "-x", "c", *options, "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True)


def compiles(source):
    return run(source, "-fsyntax-only").returncode == 0


def main():
    headers = known_headers()
    names = set(re.findall(r"^#define (\w+)", run(headers, "-dM", "-E").stdout, re.M))
    lines, skipped, checked = [headers], 0, 0
    for path in sys.argv[1:]:
        for name, value in constants(path):
            if name not in names:
                skipped += 1
                continue
            checked += 1
            lines.append(f'_Static_assert((long)({name}) == (long)({value}), "{path}: {name}");')
    result = run("\n".join(lines) + "\n", "-fsyntax-only")
    print(f"# {checked} constants compared, {skipped} not in the installed headers")
    sys.stderr.write(result.stderr)
    return result.returncode or checked < 300


if __name__ == "__main__":
    sys.exit(main())
