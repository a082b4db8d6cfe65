/*
 * uname, sysinfo, prctl, membarrier, getrandom, hardware probing and capabilities.
 */
#ifndef ABI_SYSTEM_H
#define ABI_SYSTEM_H

#include "lib/types.h"

#define UTS_FIELD 65

struct abi_utsname {
	char sysname[UTS_FIELD];
	char nodename[UTS_FIELD];
	char release[UTS_FIELD];
	char version[UTS_FIELD];
	char machine[UTS_FIELD];
	char domainname[UTS_FIELD];
};
static_assert(sizeof(struct abi_utsname) == 390, "struct new_utsname");

struct abi_sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 totalram;
	u64 freeram;
	u64 sharedram;
	u64 bufferram;
	u64 totalswap;
	u64 freeswap;
	u16 procs;
	u16 pad;
	u64 totalhigh;
	u64 freehigh;
	u32 mem_unit;
};
static_assert(sizeof(struct abi_sysinfo) == 112, "struct sysinfo");

/* reboot(2). */
#define LINUX_REBOOT_MAGIC1	   0xfee1deadU
#define LINUX_REBOOT_MAGIC2	   672274793U
#define LINUX_REBOOT_MAGIC2A	   85072278U
#define LINUX_REBOOT_MAGIC2B	   369367448U
#define LINUX_REBOOT_MAGIC2C	   537993216U
#define LINUX_REBOOT_CMD_RESTART   0x01234567U
#define LINUX_REBOOT_CMD_HALT	   0xcdef0123U
#define LINUX_REBOOT_CMD_CAD_ON	   0x89abcdefU
#define LINUX_REBOOT_CMD_CAD_OFF   0x00000000U
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321fedcU
#define LINUX_REBOOT_CMD_RESTART2  0xa1b2c3d4U

#define PR_SET_PDEATHSIG       1
#define PR_GET_PDEATHSIG       2
#define PR_GET_DUMPABLE	       3
#define PR_SET_DUMPABLE	       4
#define PR_GET_KEEPCAPS	       7
#define PR_SET_KEEPCAPS	       8
#define PR_SET_NAME	       15
#define PR_GET_NAME	       16
#define PR_CAPBSET_READ	       23
#define PR_CAPBSET_DROP	       24
#define PR_GET_SECUREBITS      27
#define PR_SET_SECUREBITS      28
#define PR_SET_TIMERSLACK      29
#define PR_GET_TIMERSLACK      30
#define PR_SET_CHILD_SUBREAPER 36
#define PR_GET_CHILD_SUBREAPER 37
#define PR_SET_PTRACER	       0x59616d61
#define PR_SET_NO_NEW_PRIVS    38
#define PR_GET_NO_NEW_PRIVS    39
#define PR_CAP_AMBIENT	       47
#define PR_RISCV_V_SET_CONTROL 69
#define PR_RISCV_V_GET_CONTROL 70

#define PR_CAP_AMBIENT_IS_SET	 1
#define PR_CAP_AMBIENT_RAISE	 2
#define PR_CAP_AMBIENT_LOWER	 3
#define PR_CAP_AMBIENT_CLEAR_ALL 4

/* Each of the two fields: by default, off, on. */
#define PR_RISCV_V_VSTATE_CTRL_DEFAULT	  0
#define PR_RISCV_V_VSTATE_CTRL_OFF	  1
#define PR_RISCV_V_VSTATE_CTRL_ON	  2
#define PR_RISCV_V_VSTATE_CTRL_CUR_MASK	  0x3
#define PR_RISCV_V_VSTATE_CTRL_NEXT_MASK  0xc
#define PR_RISCV_V_VSTATE_CTRL_NEXT_SHIFT 2
#define PR_RISCV_V_VSTATE_CTRL_INHERIT	  0x10
#define PR_RISCV_V_VSTATE_CTRL_MASK	  0x1fUL

/* Each with its lock one bit above. */
#define SECBIT_NOROOT		    0x01
#define SECBIT_NO_SETUID_FIXUP	    0x04
#define SECBIT_KEEP_CAPS	    0x10
#define SECBIT_KEEP_CAPS_LOCKED	    0x20
#define SECBIT_NO_CAP_AMBIENT_RAISE 0x40
#define SECURE_ALL_BITS		    0x55
#define SECURE_ALL_LOCKS	    0xaa

/* personality(2): the low byte is a system's number, the rest are habits. */
#define PER_MASK	   0xff
#define PER_LINUX	   0
#define PER_LINUX32	   8
#define UNAME26		   0x0020000
#define ADDR_NO_RANDOMIZE  0x0040000
#define MMAP_PAGE_ZERO	   0x0100000
#define ADDR_COMPAT_LAYOUT 0x0200000
#define READ_IMPLIES_EXEC  0x0400000
#define STICKY_TIMEOUTS	   0x4000000

#define PIDFD_NONBLOCK		   04000
#define PIDFD_THREAD		   00200 /* O_EXCL */
#define PIDFD_SIGNAL_THREAD	   1
#define PIDFD_SIGNAL_THREAD_GROUP  2
#define PIDFD_SIGNAL_PROCESS_GROUP 4

#define SYSLOG_ACTION_CLOSE	    0
#define SYSLOG_ACTION_OPEN	    1
#define SYSLOG_ACTION_READ	    2
#define SYSLOG_ACTION_READ_ALL	    3
#define SYSLOG_ACTION_READ_CLEAR    4
#define SYSLOG_ACTION_CLEAR	    5
#define SYSLOG_ACTION_CONSOLE_OFF   6
#define SYSLOG_ACTION_CONSOLE_ON    7
#define SYSLOG_ACTION_CONSOLE_LEVEL 8
#define SYSLOG_ACTION_SIZE_UNREAD   9
#define SYSLOG_ACTION_SIZE_BUFFER   10

#define GRND_NONBLOCK 1
#define GRND_RANDOM   2
#define GRND_INSECURE 4

#define MEMBARRIER_CMD_QUERY				    0
#define MEMBARRIER_CMD_GLOBAL				    1
#define MEMBARRIER_CMD_GLOBAL_EXPEDITED			    2
#define MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED	    4
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED		    8
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED	    16
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE	    32
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE 64
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ		    128
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ	    256
#define MEMBARRIER_CMD_GET_REGISTRATIONS		    512
#define MEMBARRIER_CMD_FLAG_CPU				    1

struct abi_riscv_hwprobe {
	s64 key;
	u64 value;
};

#define RISCV_HWPROBE_KEY_MVENDORID	0
#define RISCV_HWPROBE_KEY_MARCHID	1
#define RISCV_HWPROBE_KEY_MIMPID	2
#define RISCV_HWPROBE_KEY_BASE_BEHAVIOR 3
#define RISCV_HWPROBE_BASE_BEHAVIOR_IMA 1
#define RISCV_HWPROBE_KEY_IMA_EXT_0	4
#define RISCV_HWPROBE_IMA_FD		(1UL << 0)
#define RISCV_HWPROBE_IMA_C		(1UL << 1)
#define RISCV_HWPROBE_IMA_V		(1UL << 2)
#define RISCV_HWPROBE_EXT_ZBA		(1UL << 3)
#define RISCV_HWPROBE_EXT_ZBB		(1UL << 4)
#define RISCV_HWPROBE_EXT_ZBS		(1UL << 5)
#define RISCV_HWPROBE_EXT_ZICBOZ	(1UL << 6)
/* Zvbb to Zvkt, Zvfh and Zvfhmin, Zve32x to Zve64d. */
#define RISCV_HWPROBE_EXT_VECTOR		 (0x3ffUL << 17 | 3UL << 30 | 0x1fUL << 37)
#define RISCV_HWPROBE_KEY_CPUPERF_0		 5
#define RISCV_HWPROBE_MISALIGNED_UNKNOWN	 0
#define RISCV_HWPROBE_MISALIGNED_SLOW		 2
#define RISCV_HWPROBE_MISALIGNED_FAST		 3
#define RISCV_HWPROBE_KEY_ZICBOZ_BLOCK_SIZE	 6
#define RISCV_HWPROBE_KEY_HIGHEST_VIRT_ADDRESS	 7
#define RISCV_HWPROBE_KEY_TIME_CSR_FREQ		 8
#define RISCV_HWPROBE_KEY_MISALIGNED_SCALAR_PERF 9
#define RISCV_HWPROBE_WHICH_CPUS		 1

#define CAP_CHOWN	     0
#define CAP_DAC_OVERRIDE     1
#define CAP_DAC_READ_SEARCH  2
#define CAP_FOWNER	     3
#define CAP_FSETID	     4
#define CAP_KILL	     5
#define CAP_SETGID	     6
#define CAP_SETUID	     7
#define CAP_SETPCAP	     8
#define CAP_LINUX_IMMUTABLE  9
#define CAP_NET_BIND_SERVICE 10
#define CAP_NET_ADMIN	     12
#define CAP_NET_RAW	     13
#define CAP_IPC_LOCK	     14
#define CAP_IPC_OWNER	     15
#define CAP_SYS_CHROOT	     18
#define CAP_SYS_PTRACE	     19
#define CAP_SYS_ADMIN	     21
#define CAP_SYS_BOOT	     22
#define CAP_SYS_NICE	     23
#define CAP_SYS_RESOURCE     24
#define CAP_SYS_TIME	     25
#define CAP_MKNOD	     27
#define CAP_LEASE	     28
#define CAP_MAC_OVERRIDE     32
#define CAP_SYSLOG	     34
#define CAP_WAKE_ALARM	     35
#define CAP_LAST_CAP	     40
#define CAP_ALL		     (BIT(CAP_LAST_CAP + 1) - 1)

#endif
