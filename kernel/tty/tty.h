/*
 * Terminals: the console and pseudo-terminals, their files, sessions and job control.
 *
 * A struct tty is a line discipline under a spin lock, with a device on its other side: the UART
 * (console.c) or the master of a pseudo-terminal (pty.c). The lock covers the discipline alone;
 * signals, wake-ups and the device's output follow after it is dropped, so that input works in
 * interrupt context, where ^C must reach a program that never reads.
 *
 * A session's controlling terminal is the tty whose `session` is the session's number: processes
 * hold nothing, and setsid() and exec have nothing to do. (One consequence: TIOCNOTTY is for
 * session leaders only, EPERM for others.)
 *
 * Lock order: tty reader/writer mutex < ttys lock < tty lock.
 */
#ifndef KERNEL_TTY_TTY_H
#define KERNEL_TTY_TTY_H

#include "kernel/file/file.h"
#include "kernel/file/waitq.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/spinlock.h"
#include "kernel/tty/ldisc.h"
#include "lib/list.h"

struct dentry;
struct tty;

/* The device's side. Context: any, tty lock not held. */
struct tty_ops {
	void (*output)(struct tty *tty);     /* the output ring has something, or goes on */
	void (*input_room)(struct tty *tty); /* readers have made room */
	/* Terminal files: one more, one less. NULL: nothing to do. */
	void (*opened)(struct tty *tty);
	void (*closed)(struct tty *tty);
};

struct tty {
	const struct tty_ops *ops; /* [I] */
	void *device;		   /* [I] the console's struct console */
	u32 index;		   /* [I] N of /dev/pts/N */
	u32 refs;		   /* [a] files, and one of the console; changes from 0 never */
	struct list link;	   /* [L:ttys] list of all */
	u32 session;	/* [a] whose controlling terminal it is, 0 none; changes under ttys lock */
	u32 foreground; /* [a] process group; changes under ttys lock */

	struct mutex reader;	       /* RANK_FILE: lines come whole */
	struct mutex writer;	       /* RANK_FILE: so do writes */
	struct wait_queue wait;	       /* terminal files: readers, writers, watchers */
	struct wait_queue master_wait; /* the same of a pseudo-terminal's master */

	struct spinlock lock;
	struct ldisc ldisc;	    /* [L:lock] */
	struct abi_winsize winsize; /* [L:lock] */
	bool draining;		    /* [L:lock] somebody moves output to the console */
	bool hung_up;		    /* [a] the other side is gone: end of file, EIO */

	/* Pseudo-terminals. */
	struct dentry *node; /* [I] /dev/pts/N; the master's close unlinks it */
	bool locked;	     /* [a] until TIOCSPTLCK 0 */
	u32 nr_slaves;	     /* [L:lock] open terminal files */
	bool slaves_gone;    /* [L:lock] there were some, now there is none */
	struct epoch_node free_node;
};

/* ---- tty.c ---- */
extern const struct file_ops tty_file_ops; /* f->data: the tty, a reference */
s32 tty_async_owner(struct file *f);	   /* of both ends */

void tty_setup(struct tty *tty, const struct tty_ops *ops);
void tty_get(struct tty *tty);
void tty_put(struct tty *tty);
/*
 * Feeds bytes from next(arg), false at their end, to the discipline while it has room. Bytes taken.
 * The tty lock is held during next().
 */
size_t tty_receive(struct tty *tty, bool (*next)(void *arg, char *byte), void *arg);
/* The other side is gone for ever: wakes everybody, tells the session. */
void tty_hangup(struct tty *tty);
/* Completes a file opened on `tty`, whose reference it takes. */
void tty_attach_file(struct tty *tty, struct file *f);

/* ---- ioctl.c ---- */
/* Requests that terminal and master share. */
long tty_ioctl(struct tty *tty, u32 cmd, u64 arg, bool master);

/* ---- job.c ---- */
/* The controlling terminal of the running process, a reference, or NULL. */
struct tty *tty_current(void);
/*
 * May the running process go on with what background processes may not? 0 if it may. Else it, or
 * its group, gets `sig` (SIGTTIN, SIGTTOU): -ERESTARTSYS, or -EIO where a stop would be for ever.
 */
int tty_check_foreground(struct tty *tty, int sig);
/* `sig` from the kernel to the foreground group. Context: any. */
void tty_signal_foreground(struct tty *tty, int sig);
/* Open by a session leader without a terminal: takes `tty` if it is free. */
void tty_acquire(struct tty *tty);
/* TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP, TIOCGSID; -ENOTTY for anything else. */
long tty_job_ioctl(struct tty *tty, u32 cmd, u64 arg, bool master);
/* Ends the session's hold on `tty` after a hang-up. */
void tty_leave_session(struct tty *tty);
void tty_job_init(void);

/* ---- list of all (tty.c) ---- */
void tty_add(struct tty *tty);
void tty_remove(struct tty *tty);
/* The tty of that session, or the pseudo-terminal of that number: a reference, or NULL. */
struct tty *tty_find_session(u32 session);
struct tty *tty_find_pty(u32 index);
/* The device number (32-bit form) and foreground group of a session's terminal; 0 and -1: none. */
void tty_of_session(u32 session, u32 *number, s32 *foreground);
void ttys_lock(void);
void ttys_unlock(void);

/* ---- console.c, pty.c ---- */
extern const struct tty_ops pty_ops;
extern struct tty console_tty;
int tty_console_init(void);
int pty_init(void);
void pty_free(struct tty *tty); /* of the last reference, after a grace period */

/* Boot, after fs_init(): /dev/console, ttyS0, tty, ptmx, pts. Panics when out of memory. */
void tty_init(void);

#endif
