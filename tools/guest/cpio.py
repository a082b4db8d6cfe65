"""The "newc" cpio format, as Linux and StellarOS read it from memory at boot.

Layout rule of ours: the data of a file of at least one page starts on a page boundary of the
archive and is followed by zeros up to the next one, so that a kernel whose initrd lies on a page
boundary can adopt the pages instead of copying them. The space is made by zero bytes between
entries, which both kernels skip (it is how archives are concatenated). An archive's length is a
multiple of the page size, so the rule also holds in a concatenation.

The output depends on the entries alone: no inode number, time or owner of the host gets in.
Format: Linux Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import stat

PAGE = 4096
TRAILER = "TRAILER!!!"
_HEADER_LEN = 110


class Writer:
    """Writes entries to a binary file object, counting the offset itself (pipes will do)."""

    def __init__(self, out):
        self._out = out
        self.offset = 0
        self._inode = 1

    def _write(self, data):
        self._out.write(data)
        self.offset += len(data)

    def _pad(self, multiple):
        self._write(bytes(-self.offset % multiple))

    def _head(self, raw_name, mode, size, uid=0, gid=0, mtime=0, rdev=(0, 0)):
        fields = (self._inode, mode, uid, gid, 1, mtime, size, 0, 0, *rdev, len(raw_name), 0)
        self._write(b"070701" + b"".join(b"%08X" % field for field in fields) + raw_name)
        self._pad(4)
        self._inode += 1

    def add(self, name, mode, data=b"", uid=0, gid=0, mtime=0, rdev=(0, 0)):
        """Adds one entry and returns the offset of its data.

        `name` has no leading slash; `mode` holds type and permissions; `data` is a file's content
        or a symlink's target. Every entry has an inode number of its own: there are no hard links.
        """
        raw_name = name.encode(errors="surrogateescape") + b"\0"
        aligned = stat.S_ISREG(mode) and len(data) >= PAGE
        if aligned:
            head_len = _HEADER_LEN + len(raw_name)
            head_len += -head_len % 4
            self._write(bytes(-(self.offset + head_len) % PAGE))
        self._head(raw_name, mode, len(data), uid, gid, mtime, rdev)
        start = self.offset
        self._write(data)
        self._pad(PAGE if aligned else 4)
        return start

    def finish(self):
        """Ends the archive. Returns its length."""
        self._head(TRAILER.encode() + b"\0", 0, 0)
        self._pad(PAGE)
        return self.offset


def read(archive):
    """Yields (name, mode, data, data_offset) of each entry of a concatenation of archives."""
    offset = 0
    while offset < len(archive):
        if archive[offset] == 0:
            offset += 1
            continue
        if archive[offset:offset + 6] != b"070701":
            raise ValueError(f"no cpio header at offset {offset}")
        fields = [int(archive[offset + 6 + 8 * i:offset + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_len = fields[1], fields[6], fields[11]
        name_end = offset + _HEADER_LEN + name_len
        name = archive[offset + _HEADER_LEN:name_end - 1].decode(errors="surrogateescape")
        start = name_end + -name_end % 4
        if start + size > len(archive):
            raise ValueError(f"the archive ends inside {name!r}")
        offset = start + size + -size % 4
        if name != TRAILER:
            yield name, mode, bytes(archive[start:start + size]), start
