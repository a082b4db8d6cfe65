/*
 * I/O priorities. Source: ioprio_set(2), linux/ioprio.h.
 */
#ifndef ABI_IOPRIO_H
#define ABI_IOPRIO_H

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_PGRP	   2
#define IOPRIO_WHO_USER	   3

#define IOPRIO_CLASS_NONE 0
#define IOPRIO_CLASS_RT	  1
#define IOPRIO_CLASS_BE	  2
#define IOPRIO_CLASS_IDLE 3

/* 16 bits: class, 10 bits of hints, level. */
#define IOPRIO_CLASS_SHIFT   13
#define IOPRIO_PRIO_CLASS(p) (((p) >> IOPRIO_CLASS_SHIFT) & 7)
#define IOPRIO_PRIO_LEVEL(p) ((p)&7)

#endif
