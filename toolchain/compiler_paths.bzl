"""Asks the cross compilers where their headers are, so that no compiler version is written down."""

_COMPILERS = {
    "KERNEL_INCLUDES": ["riscv64-unknown-elf-gcc", "--specs=picolibc.specs"],
    "LINUX_INCLUDES": ["riscv64-linux-gnu-gcc"],
}

def _include_dirs(repository_ctx, command):
    if not repository_ctx.which(command[0]):
        fail("there is no %s: run tools/setup" % command[0])
    result = repository_ctx.execute(command + ["-E", "-v", "-x", "c", "/dev/null"])
    if result.return_code != 0:
        fail("%s does not run: %s" % (command[0], result.stderr))
    search_list = result.stderr.split("<...> search starts here:\n")[1].split("End of search list")[0]

    # path() takes out the "..", which Bazel refuses in such a list.
    return [str(repository_ctx.path(line.strip())) for line in search_list.splitlines()]

def _compiler_paths_impl(repository_ctx):
    lines = [
        "%s = %r" % (name, _include_dirs(repository_ctx, command))
        for name, command in _COMPILERS.items()
    ]
    repository_ctx.file("BUILD.bazel", "")
    repository_ctx.file("paths.bzl", "\n".join(lines) + "\n")

compiler_paths = repository_rule(
    implementation = _compiler_paths_impl,
    doc = "Provides @compiler_paths//:paths.bzl with KERNEL_INCLUDES and LINUX_INCLUDES.",
    local = True,
)
