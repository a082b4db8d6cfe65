"""Tests that run the kernel, record a trace and check it by a decoder of its own."""

load("//toolchain:defs.bzl", "qemu_test")

def checked_trace_test(name, script, program = None, kernels = ["//kernel:stellar"], first = []):
    """Runs `script`: the words `first`, the checker, the schema, then LABEL=FILE of what tools/run would have Bazel build, `program` before all."""
    built = ([program] if program else []) + kernels + ["//tools/trace:convert"]
    qemu_test(
        name = name,
        srcs = [script],
        args = first + [
            "$(location check_trace.py)",
            "$(location perfetto.proto)",
        ] + ["%s=$(location %s)" % (label, label) for label in built],
        data = [
            "check_trace.py",
            "perfetto.proto",
            "trace_reader.py",
        ] + built,
        tags = ["no-sandbox"],
    )
