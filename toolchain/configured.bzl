"""Rules that build one dependency in another configuration than their own.

kernel_image and guest_binary build for the machine in QEMU, sanitized_test builds for the host with
a sanitizer in every object. So one `bazel test //...` on the host builds debug and release
kernels, guest programs and instrumented tests side by side.
"""

def _platform_transition_impl(_settings, attr):
    return {
        "//command_line_option:compilation_mode": attr.mode,
        # What the command line adds is meant for the host's compiler.
        "//command_line_option:copt": [],
        "//command_line_option:linkopt": [],
        "//command_line_option:platforms": [attr._platform],
    }

_platform_transition = transition(
    implementation = _platform_transition_impl,
    inputs = [],
    outputs = [
        "//command_line_option:compilation_mode",
        "//command_line_option:copt",
        "//command_line_option:linkopt",
        "//command_line_option:platforms",
    ],
)

def _sanitizer_transition_impl(_settings, attr):
    flag = "-fsanitize=" + attr.sanitize

    # -Wno-tsan: the sanitizer does not model fences; races that only a fence orders show as reports.
    return {
        "//command_line_option:copt": [flag, "-O1", "-g", "-fno-omit-frame-pointer", "-Wno-tsan"],
        "//command_line_option:linkopt": [flag],
    }

_sanitizer_transition = transition(
    implementation = _sanitizer_transition_impl,
    inputs = [],
    outputs = [
        "//command_line_option:copt",
        "//command_line_option:linkopt",
    ],
)

def _link_output(ctx, name):
    """Declares the output name as a symbolic link to the one file of the binary attribute."""
    out = ctx.actions.declare_file(name)
    binary = ctx.attr.binary[0][DefaultInfo].files.to_list()[0]
    ctx.actions.symlink(output = out, target_file = binary, is_executable = True)
    return out

def _image_impl(ctx):
    out = _link_output(ctx, ctx.label.name + ctx.attr._extension)
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]

def _sanitized_test_impl(ctx):
    out = _link_output(ctx, ctx.label.name)
    runfiles = ctx.attr.binary[0][DefaultInfo].default_runfiles
    return [DefaultInfo(executable = out, runfiles = runfiles)]

def _attrs(cfg, **more):
    attrs = {
        "binary": attr.label(mandatory = True, cfg = cfg),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    }
    attrs.update(more)
    return attrs

def _image_rule(doc, platform, extension):
    return rule(
        implementation = _image_impl,
        doc = doc,
        attrs = _attrs(
            _platform_transition,
            mode = attr.string(default = "opt", values = ["opt", "dbg"]),
            _extension = attr.string(default = extension),
            _platform = attr.string(default = platform),
        ),
    )

kernel_image = _image_rule(
    doc = "Builds a kernel_binary for the guest machine: release (opt) or debug (dbg), as <name>.elf.",
    platform = "//platforms:riscv64_kernel",
    extension = ".elf",
)

guest_binary = _image_rule(
    doc = "Builds a cc_binary for Linux on riscv64, as <name>.",
    platform = "//platforms:riscv64_linux",
    extension = "",
)

sanitized_test = rule(
    implementation = _sanitized_test_impl,
    doc = "Runs a cc_binary as a test, it and all that it links compiled with -fsanitize=<sanitize>.",
    test = True,
    attrs = _attrs(_sanitizer_transition, sanitize = attr.string(mandatory = True)),
)
