"""A library built from a source file of Debian's that tools/setup has fetched."""

def _debian_source_impl(repository_ctx):
    root = repository_ctx.path(Label("//:WORKSPACE")).dirname
    file = root.get_child(".cache").get_child("distdir").get_child(repository_ctx.attr.file)
    if not file.exists:
        fail("%s is not in .cache/distdir: run tools/setup" % repository_ctx.attr.file)
    repository_ctx.download_and_extract(
        url = "file://%s" % file,
        sha256 = repository_ctx.attr.sha256,
        stripPrefix = repository_ctx.attr.strip_prefix,
    )
    repository_ctx.symlink(repository_ctx.attr.build_file, "BUILD.bazel")

debian_source = repository_rule(
    implementation = _debian_source_impl,
    doc = "Unpacks .cache/distdir/<file>, whose checksum must be sha256, with build_file on top.",
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        "file": attr.string(mandatory = True),
        "sha256": attr.string(mandatory = True),
        "strip_prefix": attr.string(mandatory = True),
    },
)
