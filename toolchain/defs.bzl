"""The rules that BUILD files of this project use; toolchain/README.md shows each."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load(
    ":configured.bzl",
    "sanitized_test",
    _guest_binary = "guest_binary",
    _kernel_image = "kernel_image",
)
load(":flags.bzl", "WARNINGS")

kernel_image = _kernel_image
guest_binary = _guest_binary

_KERNEL_ONLY = [
    "@platforms//cpu:riscv64",
    "@platforms//os:none",
]

_GUEST_ONLY = [
    "@platforms//cpu:riscv64",
    "@platforms//os:linux",
]

def portable_library(name, copts = [], **kwargs):
    """A library of our own for every platform: lib/, abi/, what host tests share with the kernel."""
    cc_library(
        name = name,
        copts = WARNINGS + copts,
        **kwargs
    )

def kernel_library(name, copts = [], **kwargs):
    """A library of the kernel; builds for other platforms skip it."""
    cc_library(
        name = name,
        copts = WARNINGS + copts,
        target_compatible_with = _KERNEL_ONLY,
        **kwargs
    )

def kernel_binary(name, linker_script, copts = [], linkopts = [], **kwargs):
    """A kernel linked by linker_script. Give it to kernel_image: alone it builds for no platform of the host's."""
    cc_binary(
        name = name,
        additional_linker_inputs = [linker_script],
        copts = WARNINGS + copts,
        linkopts = ["-T$(location %s)" % linker_script] + linkopts,
        linkstatic = 1,
        target_compatible_with = _KERNEL_ONLY,
        **kwargs
    )

def guest_program(name, srcs, mode = "opt", copts = [], linkopts = [], deps = [], visibility = None, **kwargs):
    """A static program for Linux on riscv64: <name> is the file, ready to be data of a host rule.

    Args:
      name: the program and its file.
      srcs: C and assembly sources, private headers.
      mode: "opt" or "dbg".
      copts: added compiler flags.
      linkopts: added linker flags.
      deps: portable_library or guest_library targets.
      visibility: of <name>.
      **kwargs: of cc_binary.
    """
    cc_binary(
        name = name + ".guest",
        srcs = srcs,
        copts = WARNINGS + copts,
        linkopts = ["-static", "-pthread"] + linkopts,
        linkstatic = 1,
        target_compatible_with = _GUEST_ONLY,
        visibility = ["//visibility:private"],
        deps = deps,
        **kwargs
    )
    _guest_binary(
        name = name,
        binary = name + ".guest",
        mode = mode,
        visibility = visibility,
    )

def guest_library(name, copts = [], **kwargs):
    """A library that guest programs share."""
    cc_library(
        name = name,
        copts = WARNINGS + copts,
        target_compatible_with = _GUEST_ONLY,
        **kwargs
    )

def host_binary(name, copts = [], **kwargs):
    """A tool that runs on the host."""
    cc_binary(
        name = name,
        copts = WARNINGS + copts,
        **kwargs
    )

def host_test(
        name,
        srcs,
        size = "small",
        sanitize = "",
        copts = [],
        linkopts = [],
        deps = [],
        data = [],
        args = [],
        tags = [],
        **kwargs):
    """A unit test that runs on the host; exit status 0 is success.

    Args:
      name: of the test.
      srcs: sources.
      size: small (60 s), medium (300 s), large (900 s).
      sanitize: "thread", "address,undefined" or none; every library the test links is built with it.
      copts: added compiler flags.
      linkopts: added linker flags.
      deps: libraries.
      data: files the test reads.
      args: its command line.
      tags: of the test.
      **kwargs: of cc_binary (with sanitize) or cc_test.
    """
    if not sanitize:
        cc_test(
            name = name,
            size = size,
            srcs = srcs,
            args = args,
            copts = WARNINGS + copts,
            data = data,
            linkopts = ["-pthread"] + linkopts,
            linkstatic = 1,
            tags = tags,
            deps = deps,
            **kwargs
        )
        return
    cc_binary(
        name = name + ".plain",
        testonly = 1,
        srcs = srcs,
        copts = WARNINGS + copts,
        data = data,
        linkopts = ["-pthread"] + linkopts,
        linkstatic = 1,
        tags = ["manual"],
        visibility = ["//visibility:private"],
        deps = deps,
        **kwargs
    )
    sanitized_test(
        name = name,
        size = size,
        args = args,
        binary = name + ".plain",
        sanitize = sanitize,
        tags = tags,
    )

def script_test(name, size = "small", **kwargs):
    """A test that is a script. The one place that names sh_test: later Bazels take it from rules_shell."""
    native.sh_test(
        name = name,
        size = size,
        **kwargs
    )

def qemu_test(name, size = "medium", tags = [], **kwargs):
    """A script_test that boots QEMU: tagged "qemu", and counted as two host cores so that none runs beside it."""
    script_test(
        name = name,
        size = size,
        tags = ["qemu", "cpu:2"] + tags,
        **kwargs
    )
