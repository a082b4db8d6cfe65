"""System-call tests: one program, run on Linux and on both builds of StellarOS."""

load("//toolchain:defs.bzl", "guest_program", "qemu_test")

_SYSTEMS = {
    "linux": "//tools/guest:linux_init",
    "stellar": "//kernel:stellar",
    "stellar_debug": "//kernel:stellar_debug",
}

def syscall_test(name, srcs, cpus = {"": ""}):
    """The program <name> and its tests <name>.linux, <name>.stellar, <name>.stellar_debug.

    Args:
      name: the program.
      srcs: its sources.
      cpus: words behind <name> in the names of the tests -> QEMU's processor; "": as usual.
    """
    guest_program(
        name = name,
        srcs = srcs,
        copts = ["-D_GNU_SOURCE"],
        deps = [":harness"],
    )
    for word, cpu in cpus.items():
        for system, built in _SYSTEMS.items():
            qemu_test(
                name = "%s%s.%s" % (name, word, system),
                srcs = ["syscall_test.py"],
                args = (["--cpu", cpu] if cpu else []) + [
                    system,
                    "$(location :%s)" % name,
                    "$(location known_failures.txt)",
                    "%s=$(location %s)" % (built, built),
                ],
                data = [
                    ":" + name,
                    "known_failures.txt",
                    built,
                ],
                tags = ["no-sandbox"],
            )
