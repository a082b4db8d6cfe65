/*
 * Users: what each has of what is limited by user: tasks (RLIMIT_NPROC), queued signals, bytes of message queues. Credentials hold
 * their real user.
 *
 * Every hart counts tasks for itself, so that starting and ending them shares no line; only who must stay
 * below a limit, which root and CAP_SYS_RESOURCE need not, adds the counts up. Signals are counted in one word: each is held
 * against the limit.
 *
 * The last reference goes under the table's lock, so that user_find() never meets a user that is on its way out; all others come and go
 * without it.
 */
#ifndef KERNEL_TASK_USER_H
#define KERNEL_TASK_USER_H

#include "lib/types.h"

struct user;

void user_init(void); /* root; panics without memory */
extern struct user *user_root;
/* A reference on the user of id `uid`, or NULL: out of memory. */
struct user *user_find(u32 uid);
void user_get(struct user *u); /* the caller knows of another reference */
void user_put(struct user *u);

/* One task more or less. Context: no relax between here and the last look at the hart. */
void user_count_task(struct user *u, s32 change);
/*
 * More tasks than `limit`. Of two that count and then ask at the same time at least one is told.
 */
bool user_over_limit(const struct user *u, u64 limit);

/*
 * Bytes of message queues, for RLIMIT_MSGQUEUE: charged unless all of the user's together come to more than `limit`.
 */
bool user_charge_queue(struct user *u, u64 bytes, u64 limit);
void user_uncharge_queue(struct user *u, u64 bytes);

/* Queued signals, for RLIMIT_SIGPENDING: one more, the number with it; one less. Context: any. */
u64 user_charge_signal(struct user *u);
void user_uncharge_signal(struct user *u);
u64 user_signals(const struct user *u);

/*
 * Files in messages that nobody has received: charged unless there are more than `limit` of the user's already.
 */
bool user_charge_files(struct user *u, u32 nr, u64 limit);
void user_uncharge_files(struct user *u, u32 nr);

#endif
