"""A gcc cross toolchain: the tools share a prefix, and the flags come from toolchain/flags.bzl."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
)

_COMPILE_ACTIONS = [
    ACTION_NAMES.assemble,
    ACTION_NAMES.preprocess_assemble,
    ACTION_NAMES.c_compile,
    ACTION_NAMES.cpp_compile,
]

_LINK_ACTIONS = [
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

# The path of each tool that Bazel wants named; those that gcc cross packages lack are never run.
_TOOLS = ["ar", "cpp", "gcc", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]

def _flags_feature(name, actions, flags, enabled = False):
    if not flags:
        return feature(name = name, enabled = enabled)
    return feature(
        name = name,
        enabled = enabled,
        flag_sets = [flag_set(actions = actions, flag_groups = [flag_group(flags = flags)])],
    )

def _cc_toolchain_config_impl(ctx):
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = ctx.label.name,
        host_system_name = "local",
        target_system_name = ctx.attr.prefix,
        target_cpu = "riscv64",
        target_libc = ctx.attr.libc,
        compiler = "gcc",
        abi_version = "lp64",
        abi_libc_version = ctx.attr.libc,
        tool_paths = [
            tool_path(name = tool, path = "/usr/bin/%s-%s" % (ctx.attr.prefix, tool))
            for tool in _TOOLS
        ],
        cxx_builtin_include_directories = ctx.attr.include_dirs,
        features = [
            _flags_feature("target_compile", _COMPILE_ACTIONS, ctx.attr.copts, enabled = True),
            _flags_feature("target_link", _LINK_ACTIONS, ctx.attr.linkopts, enabled = True),
            # Bazel switches on the feature that bears the compilation mode's name.
            _flags_feature("fastbuild", _COMPILE_ACTIONS, ctx.attr.debug_copts),
            _flags_feature("dbg", _COMPILE_ACTIONS, ctx.attr.debug_copts),
            _flags_feature("opt", _COMPILE_ACTIONS, ctx.attr.release_copts),
        ],
    )

cc_toolchain_config = rule(
    implementation = _cc_toolchain_config_impl,
    provides = [CcToolchainConfigInfo],
    attrs = {
        "copts": attr.string_list(doc = "flags of every compilation"),
        "debug_copts": attr.string_list(doc = "flags added in fastbuild and dbg"),
        "include_dirs": attr.string_list(doc = "where the compiler's own headers are"),
        "libc": attr.string(mandatory = True),
        "linkopts": attr.string_list(doc = "flags of every link"),
        "prefix": attr.string(mandatory = True, doc = "target triple before each tool's name"),
        "release_copts": attr.string_list(doc = "flags added in opt"),
    },
)
