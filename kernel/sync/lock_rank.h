/*
 * Lock order, outermost first: a hart may take a lock only of a higher rank than every one that it
 * holds (checked in debug builds). Two locks of one class are taken in address order through
 * spin_lock_pair(). A sleeping mutex may not be taken under a spin lock.
 *
 *   sleeping mutexes  exit of a futex owner < process children < rename < epoll nesting < socket
 *                     < file position/pipe/epoll < byte stream < wire < inode < mount
 *                     < mm (address-space layout) < IPC table < object mappings < out of memory
 *                     < epoch barrier < lock statistics < static keys
 *   spin locks        pid < AF_UNIX names < AF_UNIX graph < signal < AF_UNIX socket
 *                     < TCP pair < accept queue < port < 4-tuple
 *                     < TIME_WAIT < interfaces < fd table < dentry hash < inotify < terminal list
 *                     < terminal < datagram queue < wait-queue source < epoll ready list
 *                     < futex bucket < IPC object < undo list < pi state < vm_object < page-table leaf
 *                     < ranges that leave a space < TLB flush < mutex wait list
 *                     < run queue < timer queue < slab depot < buddy zone < trace control < epoch
 *                     < console
 */
#ifndef KERNEL_SYNC_LOCK_RANK_H
#define KERNEL_SYNC_LOCK_RANK_H

enum lock_rank {
	/* sleeping */
	RANK_FUTEX_EXIT = 5, /* held over the robust walk, which faults */
	RANK_PROCESS = 10,
	RANK_NETLINK_ECHO = 15, /* a request that wants to hear of what it changes */
	RANK_RENAME = 20,
	RANK_NETLINK_DUMP = 21,	 /* filling a dump looks at sockets, whose last use may end there */
	RANK_EPOLL_NESTING = 22, /* which epoll watches which */
	RANK_NET_CONFIG = 23,	 /* changes of interfaces */
	RANK_SOCKET = 24,	 /* a socket's names and options */
	RANK_FILE = 25,		 /* held while copying to user memory: before RANK_MM */
	RANK_STREAM = 27,	 /* one side of a local byte stream: copies user memory */
	RANK_WIRE = 28,		 /* lwIP and the cards */
	RANK_UNIX_GRAPH = 29,	 /* which AF_UNIX socket waits in whose queue */
	RANK_INODE = 30,
	RANK_MOUNT = 35, /* read for /proc, under the lock of an open file there */
	RANK_MM = 40,
	RANK_IPC_TABLE = 42, /* makers and removers of System V objects */
	RANK_MAPPING = 45,   /* an object's list of mappings */
	RANK_OOM = 80,	     /* one chooses a victim; may be waited for under any of the above */
	RANK_EPOCH_BARRIER = 90, /* may be waited for under any other mutex */
	RANK_LOCK_STAT = 91,	 /* one switches the statistics */
	RANK_STATIC_KEYS = 92,	 /* one changes the kernel's text */
	/* spinning */
	RANK_SPIN = 100,    /* first spin rank */
	RANK_NETLINK = 104, /* numbers and groups of netlink sockets; held while they are woken */
	RANK_PID = 105,
	RANK_UNIX_NAMES = 107, /* names of AF_UNIX sockets */
	RANK_SIGNAL = 110,
	RANK_UNIX = 111, /* one AF_UNIX socket: peer, marks, accept queue */
	RANK_TCP = 112,	 /* both ends' states of a local connection */
	RANK_ACCEPT = 114,
	RANK_PORT = 116,
	RANK_TUPLE = 117,
	RANK_TIME_WAIT = 118,
	RANK_IFACE = 119,
	RANK_MULTICAST = 121, /* groups that this host has joined */
	RANK_FDTABLE = 120,
	RANK_TIMERFD_LIST = 122, /* before each timerfd's */
	RANK_TIMERFD = 123,
	RANK_DENTRY = 125,
	RANK_INOTIFY = 126,
	RANK_TTY_LIST = 127,
	RANK_TTY = 128,
	RANK_SOCKQ = 129, /* datagrams not yet received */
	RANK_WAITQ = 130,
	RANK_RTC = 131,
	RANK_EPOLL = 135,
	RANK_FUTEX = 140,
	RANK_IPC = 141,	     /* one segment, set or queue */
	RANK_IPC_UNDO = 142, /* a process's list of undos */
	RANK_PI = 145,
	RANK_OBJECT = 150,
	RANK_PTE = 155,
	RANK_LEAVING = 156, /* ranges that munmap() is clearing */
	RANK_TLB = 157,	    /* whose turn it is to flush a space from all harts */
	RANK_MUTEX_WAIT = 158,
	RANK_RUNQ = 160,
	RANK_TIMEOUT = 163,
	RANK_TIMER = 165,
	RANK_SLAB = 170,
	RANK_ZONE = 175,
	RANK_TRACE = 180,
	RANK_EPOCH = 185,
	RANK_CONSOLE = 190,
};

#endif
