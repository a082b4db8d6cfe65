"""The guest's root file system: one uncompressed cpio for both kernels.

It is a cached base (directories, a few files in /etc, the packages asked for, busybox for what they
leave out) followed by the part of one run (the command line, the environment, the files of --file).
Both are archives of their own; the kernels unpack them in order, and what comes later replaces what
came before.
"""

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from tools.guest import busybox, packages
from tools.guest.errors import ToolError
from tools.guest.process import CACHE
from tools.guest.tree import Tree

_DIR = CACHE / "rootfs"
_KEPT = 24
_MIB = 1 << 20
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_DIRS = ["dev", "etc", "home", "mnt", "opt", "proc", "run", "srv", "sys", "usr/bin", "usr/lib",
         "usr/local/bin", "usr/local/sbin", "usr/sbin", "var/cache", "var/lib", "var/log",
         "var/spool"]
_LINKS = {"bin": "usr/bin", "lib": "usr/lib", "sbin": "usr/sbin", "var/run": "/run",
          "var/lock": "/run/lock", "etc/mtab": "/proc/self/mounts", "dev/fd": "/proc/self/fd"}
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
                  "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
                  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\ndaemon:x:1:\ntty:x:5:\nusers:x:100:\nnogroup:x:65534:\n",
    "etc/hostname": "stellar\n",
    "etc/hosts": "127.0.0.1\tlocalhost\n127.0.1.1\tstellar\n::1\tlocalhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
                         "services: files\nprotocols: files\n",
    "etc/shells": "/bin/sh\n/bin/bash\n",
}


def base_tree():
    """The part of the root file system that is the project's own."""
    tree = Tree()
    for path in _DIRS:
        tree.add_dir(path)
    tree.add_dir("root", 0o700)
    tree.add_dir("tmp", 0o1777)
    tree.add_dir("var/tmp", 0o1777)
    tree.add_dir("run/lock", 0o1777)
    for path, target in _LINKS.items():
        tree.add_symlink(path, target)
    for path, text in _FILES.items():
        tree.add_file(path, text.encode())
    tree.add_device("dev/console", 5, 1, 0o600)
    tree.add_device("dev/null", 1, 3)
    return tree


def _key(names):
    """Everything that a base depends on: this package's code, the names, the package index."""
    digest = hashlib.sha256()
    for module in ("busybox.py", "cpio.py", "packages.py", "rootfs.py", "tree.py"):
        digest.update((Path(__file__).parent / module).read_bytes())
    digest.update(busybox.stamp().encode())
    if names:
        digest.update(repr((names, packages.index_stamp())).encode())
    return digest.hexdigest()[:24]


def _forget_old():
    bases = sorted(_DIR.glob("*.cpio"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in bases[_KEPT:]:
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _build_base(names, archive, index):
    tree = base_tree()
    if names:
        packages.unpack_all(tree, names)
    busybox.add(tree)
    partial = archive.with_suffix(".partial")
    with open(partial, "wb") as out:
        tree.write(out)
    tree.save_index(index)
    partial.rename(archive)


def base(names):
    """The base with these packages, made if need be. Returns (archive, an empty tree on top)."""
    names = sorted(set(names))
    _DIR.mkdir(parents=True, exist_ok=True)
    key = _key(names)
    archive, index = _DIR / f"{key}.cpio", _DIR / f"{key}.json"
    with open(_DIR / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            _build_base(names, archive, index)
        os.utime(archive)
        _forget_old()
        return archive, Tree(archive, index)


def _strings(values):
    """NUL-terminated strings, one after the other."""
    return b"".join(os.fsencode(value) + b"\0" for value in values)


def add_command(tree, argv, env):
    """Tells the guest what to run: /etc/stellar/argv and /etc/stellar/env."""
    tree.add_file("etc/stellar/argv", _strings(argv))
    tree.add_file("etc/stellar/env", _strings(f"{name}={value}" for name, value in env.items()))


def assemble(archive, tree, out_path):
    """Writes base and run into one file. Returns its length."""
    try:
        with open(archive, "rb") as source, open(out_path, "wb") as out:
            shutil.copyfileobj(source, out, _MIB)
            tree.write(out)
            return out.tell()
    except OSError as error:
        raise ToolError(f"cannot write the root file system: {error.strerror}") from None


def memory_needed(initrd_len, harts):
    """Bytes of guest memory without which a boot is hopeless; the same rule for both kernels.

    Linux unpacks into a tmpfs that may take half of what memory is left beside kernel and archive.
    Debian's Linux booted in less by a few MiB: 111 MiB at 4 harts, 260 at 64, with 2 MiB of files.
    """
    return 3 * initrd_len + (96 + 3 * harts) * _MIB
