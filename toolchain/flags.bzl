"""Compiler flags of each platform, and the warnings that all of our own code is compiled with."""

WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-std=gnu17",
]

# -misa-spec=2.2 keeps the CSR and fence.i instructions in "i": with them named in -march, gcc 12
# picks picolibc's variant for another ABI. The code model is for a kernel linked at the top of the
# address space. Each function has a section of its own, for the linker script to place.
KERNEL_COPTS = [
    "-march=rv64imac",
    "-misa-spec=2.2",
    "-mabi=lp64",
    "-mcmodel=medany",
    "--specs=picolibc.specs",
    "-ffreestanding",
    "-fno-pie",
    "-fno-common",
    "-fno-strict-aliasing",
    "-fno-omit-frame-pointer",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-g",
]

KERNEL_DEBUG_COPTS = [
    "-O1",
    "-DKERNEL_DEBUG=1",
]

KERNEL_RELEASE_COPTS = [
    "-O2",
    "-DNDEBUG",
]

# The small integer-only printf; and no program headers beyond what the linker script says.
KERNEL_LINKOPTS = [
    "-march=rv64imac",
    "-misa-spec=2.2",
    "-mabi=lp64",
    "--specs=picolibc.specs",
    "-static",
    "-no-pie",
    "-nostartfiles",
    "-Wl,--defsym=vfprintf=__i_vfprintf",
    "-Wl,--fatal-warnings",
    "-Wl,--no-warn-rwx-segments",
    "-Wl,--build-id=none",
]

LINUX_COPTS = [
    "-fno-omit-frame-pointer",
    "-g",
]

LINUX_DEBUG_COPTS = ["-O1"]

LINUX_RELEASE_COPTS = ["-O2"]
