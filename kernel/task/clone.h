/*
 * clone's other half: what the child's exec or exit owes the parent of a vfork.
 */
#ifndef KERNEL_TASK_CLONE_H
#define KERNEL_TASK_CLONE_H

struct task;

/* Releases the parent that waits in vfork, if any. Context: `t` itself, at exec or exit. */
void task_vfork_done(struct task *t);

#endif
