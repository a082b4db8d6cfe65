"""Boots a kernel in QEMU around one program: the code behind tools/run and tools/compare.

Modules, lowest first; each uses only those above it:
  errors    one exception that ends a tool with one line and a status
  process   host commands run quietly, with a word when they take long
  cpio      the archive format of an initramfs
  tree      a root file system in memory, written as cpio
  packages  Debian's riscv64 packages: resolve, download, unpack into a tree
  rootfs    the cached base of a root file system, and the part of one run
  build     Bazel targets and where their files are
  machine   one QEMU machine as a command line
  session   a running QEMU, its streams and how it ended
  guest     one program run in one boot: the four above put together
  panic     a kernel's crash report, with names for addresses
  run       the command line of tools/run
  benchlist, stats, count, compare   the command line of tools/compare
"""
