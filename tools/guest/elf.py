"""Function names of ELF files for riscv64, as far as samples need them."""

import bisect
import struct

_PT_LOAD, _SHT_SYMTAB, _SHT_DYNSYM, _STT_FUNC, _STT_NOTYPE = 1, 2, 11, 2, 0


class Elf:
    """Symbols and segments of a file's bytes. What is damaged or stripped has none."""

    def __init__(self, data):
        self._addresses, self._names, self._ends = [], [], []
        self._loads = []
        if data[:4] == b"\x7fELF":
            try:
                self._read(data)
            except (struct.error, ValueError, IndexError):
                pass

    def _read(self, data):
        phoff, shoff = struct.unpack_from("<QQ", data, 32)
        phentsize, phnum, shentsize, shnum = struct.unpack_from("<HHHH", data, 54)
        for i in range(phnum):
            kind, _, offset, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", data, phoff + i * phentsize)
            if kind == _PT_LOAD:
                self._loads.append((offset, vaddr, filesz))
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
        tables = [s for s in sections if s[1] == _SHT_SYMTAB] or [s for s in sections if s[1] == _SHT_DYNSYM]
        symbols = {}
        for _, _, _, _, offset, size, link, *_ in tables:
            texts = data[sections[link][4]:sections[link][4] + sections[link][5]]
            for name, info, _, index, value, length in struct.iter_unpack("<IBBHQQ", data[offset:offset + size]):
                if info & 15 in (_STT_FUNC, _STT_NOTYPE) and index and value:
                    text = texts[name:texts.index(b"\0", name)].decode(errors="replace")
                    if text and not text.startswith((".L", "$")):
                        symbols.setdefault(value, (text, length))
        for value in sorted(symbols):
            self._addresses.append(value)
            self._names.append(symbols[value][0])
            self._ends.append(value + symbols[value][1] if symbols[value][1] else None)

    def address_of(self, offset):
        """The address that the file's bytes at `offset` have in its own terms, or None."""
        for start, vaddr, size in self._loads:
            if start <= offset < start + size:
                return offset - start + vaddr
        return None

    def name(self, address):
        """The function that an address lies in, or None."""
        at = bisect.bisect_right(self._addresses, address) - 1
        if at < 0 or (self._ends[at] is not None and address >= self._ends[at]):
            return None
        return self._names[at]
