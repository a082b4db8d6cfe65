"""Debian's riscv64 packages: apt resolves and downloads, nothing is installed or configured.

apt runs with the private configuration that tools/setup made (riscv64, no installed packages), so
its answer to "install these" is the whole dependency closure. The .deb files are read as tar
streams: no root needed, owners and modes as packed. Maintainer scripts never run; of what they do,
only the links of update-alternatives are made, because commands like awk exist only through them.
ldconfig's cache is not needed: the dynamic linker searches Debian's library folders by itself.
"""

import os
import re
import subprocess
import tarfile

from tools.guest.errors import ToolError
from tools.guest.process import CACHE, run_quietly, say

_APT = CACHE / "apt-riscv64"
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+(:riscv64)?")
_PLANNED = re.compile(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", re.MULTILINE)


def _apt_environment():
    if not (_APT / "apt.conf").exists():
        raise ToolError("no package index: run tools/setup")
    return dict(os.environ, APT_CONFIG=str(_APT / "apt.conf"), LC_ALL="C",
                DEBIAN_FRONTEND="noninteractive")


def index_stamp():
    """Changes when the package index does: the versions that a name stands for."""
    lists = sorted((_APT / "lists").glob("*_Packages*"))
    return " ".join(f"{path.name}:{path.stat().st_mtime_ns}" for path in lists)


def _apt_install(names, *options):
    argv = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *options, *names]
    try:
        return run_quietly(argv, "downloading Debian packages", _apt_environment())
    except ToolError as error:
        missing = re.search(r"Unable to locate package (\S+)|Package '(\S+)' has no", error.detail)
        if missing:
            name = missing[1] or missing[2]
            raise ToolError(f"no package {name} in Debian's riscv64 index") from None
        raise


def fetch(names):
    """Downloads the packages and all that they depend on.

    Returns the .deb files, dependencies first. Raises ToolError for a name that does not exist.
    """
    for name in names:
        if not _NAME.fullmatch(name):
            raise ToolError(f"not a package name: {name}")
    plan = _apt_install(names, "--simulate")
    files = []
    for package, version, arch in _PLANNED.findall(plan):
        files.append(f"{package.split(':')[0]}_{version.replace(':', '%3a')}_{arch}.deb")
    if any(not (_APT / "archives" / file).exists() for file in files):
        _apt_install(names, "--download-only")
    return [_APT / "archives" / file for file in files]


def unpack(tree, deb):
    """Adds the content of a .deb file to the tree."""
    dpkg = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    try:
        with tarfile.open(fileobj=dpkg.stdout, mode="r|") as archive:
            for member in archive:
                _add_member(tree, archive, member)
    except tarfile.TarError as error:
        raise ToolError(f"cannot unpack {deb.name}: {error}") from None
    finally:
        dpkg.stdout.close()
    if dpkg.wait() != 0:
        raise ToolError(f"cannot unpack {deb.name}")


def _add_member(tree, archive, member):
    path = member.name.removeprefix("./").strip("/")
    owner = {"uid": member.uid, "gid": member.gid, "mtime": int(member.mtime)}
    if member.isdir():
        tree.add_dir(path, member.mode, **owner)
    elif member.issym():
        tree.add_symlink(path, member.linkname)
    elif member.islnk():
        # A hard link becomes a file of its own: the archive format of ours has no links.
        source = tree.lookup(tree.resolve(member.linkname.removeprefix("./")))
        tree.add_file(path, source.data, member.mode, **owner)
    elif member.isfile():
        tree.add_file(path, archive.extractfile(member).read(), member.mode, **owner)
    else:
        raise ToolError(f"/{path}: a package with a special file")


def alternatives(deb):
    """(link, target, priority) of every alternative that the package's postinst installs."""
    script = subprocess.run(["dpkg-deb", "--info", deb, "postinst"], capture_output=True, text=True)
    text = script.stdout.replace("\\\n", " ")
    found = re.findall(r"update-alternatives\s+--install\s+(/\S+)\s+\S+\s+(/\S+)\s+(\d+)", text)
    return [(link, target, int(priority)) for link, target, priority in found]


def unpack_all(tree, names):
    """Adds the packages of these names and all that they depend on to the tree."""
    best = {}
    debs = fetch(names)
    say(f"unpacking {len(debs)} packages")
    for deb in debs:
        unpack(tree, deb)
        for link, target, priority in alternatives(deb):
            if priority > best.get(link, ("", -1))[1]:
                best[link] = (target, priority)
    for link, (target, _) in sorted(best.items()):
        if tree.lookup(tree.resolve(target)) and not tree.lookup(tree.resolve(link)):
            tree.add_symlink(link, target)
