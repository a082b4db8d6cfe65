/* What records of futex requeues, PI futexes, IPC, sockets and memory pressure mean: slices and instants of the thread. */
#include "tools/trace/events.h"
#include "tools/trace/model.h"
#include "tools/trace/perfetto.h"

#include <stdio.h>
#include <string.h>

static struct annotation argument(enum track_annotation name, u64 value)
{
	return (struct annotation){name, ANNOTATION_INT, value};
}

static struct annotation address(enum track_annotation name, u64 value)
{
	return (struct annotation){name, ANNOTATION_POINTER, value};
}

static u64 slot(const struct merged *e, enum event_slot which)
{
	return event_value(e->record, which);
}

static void begin(struct model *m, const struct merged *e, enum slice slice, struct track_event event)
{
	model_slice_begin(m, thread_get(&m->threads, e->record->tid), slice, &event);
}

static void instant(struct model *m, const struct merged *e, struct track_event event)
{
	event.type = EVENT_INSTANT;
	event.ns = model_stamp(m);
	event.track = track_of_thread(&m->out, thread_get(&m->threads, e->record->tid));
	track_event(&m->out, &event);
}

/* ---- futexes ---- */

void model_futex_requeue(struct model *m, const struct merged *e)
{
	begin(m, e, SLICE_FUTEX_WAKE,
	      (struct track_event){.name = NAME_FUTEX_REQUEUE,
				   .annotations = {address(ANNOTATION_UADDR, e->record->a),
						   address(ANNOTATION_UADDR2, e->record->b)}});
}

void model_futex_requeue_done(struct model *m, const struct merged *e)
{
	const struct annotation results[] = {argument(ANNOTATION_WOKEN, slot(e, SLOT_al)),
					     argument(ANNOTATION_MOVED, slot(e, SLOT_ah))};

	model_slice_end_with(m, e, SLICE_FUTEX_WAKE, results, ARRAY_SIZE(results));
}

void model_futex_pi(struct model *m, const struct merged *e)
{
	bool waits = e->record->type == TRACE_EV_futex_pi_wait;

	begin(m, e, waits ? SLICE_FUTEX_WAIT : SLICE_FUTEX_WAKE,
	      (struct track_event){.name = waits ? NAME_FUTEX_LOCK_PI : NAME_FUTEX_UNLOCK_PI,
				   .annotations = {address(ANNOTATION_UADDR, e->record->a),
						   argument(waits ? ANNOTATION_OWNER : ANNOTATION_NEXT,
							    slot(e, SLOT_bl))}});
}

/* ---- System V, and message queues ---- */

void model_ipc(struct model *m, const struct merged *e)
{
	struct track_event event = {.annotations = {argument(ANNOTATION_ID, slot(e, SLOT_al))}};
	struct annotation *more = event.annotations + 1;

	switch (e->record->type) {
	case TRACE_EV_sem_op:
		event.name = NAME_SEMOP;
		more[0] = argument(ANNOTATION_OPS, slot(e, SLOT_ah));
		more[1] = argument(ANNOTATION_NUM, slot(e, SLOT_bl));
		more[2] = argument(ANNOTATION_OP, (u64)(s32)slot(e, SLOT_bh));
		break;
	case TRACE_EV_msg_send:
	case TRACE_EV_msg_receive:
		event.name = e->record->type == TRACE_EV_msg_send ? NAME_MSGSND : NAME_MSGRCV;
		more[0] = argument(ANNOTATION_BYTES, slot(e, SLOT_ah));
		more[1] = argument(ANNOTATION_MTYPE, e->record->b);
		break;
	case TRACE_EV_mq_send:
		event.name = NAME_MQ_SEND;
		more[0] = argument(ANNOTATION_BYTES, slot(e, SLOT_ah));
		more[1] = argument(ANNOTATION_PRIORITY, slot(e, SLOT_bl));
		break;
	case TRACE_EV_mq_receive:
		event.name = NAME_MQ_RECEIVE;
		break;
	case TRACE_EV_shm_attach:
		event.name = NAME_SHMAT;
		more[0] = address(ANNOTATION_ADDR, e->record->b);
		break;
	default:
		event.name = NAME_SHMDT;
		event.annotations[0] = address(ANNOTATION_ADDR, e->record->a);
	}
	begin(m, e, SLICE_IPC, event);
}

void model_ipc_wait(struct model *m, const struct merged *e)
{
	begin(m, e, SLICE_IPC_WAIT,
	      (struct track_event){.annotations = {argument(ANNOTATION_ID, slot(e, SLOT_al))}});
}

/* ---- sockets ---- */

void model_socket(struct model *m, const struct merged *e)
{
	struct track_event event = {.annotations = {argument(ANNOTATION_SOCKET, e->record->a)}};
	const struct annotation bytes = argument(ANNOTATION_BYTES, e->record->b);

	switch (e->record->type) {
	case TRACE_EV_sock_send:
		event.name = NAME_SEND;
		event.annotations[1] = bytes;
		break;
	case TRACE_EV_sock_receive:
		event.name = NAME_RECEIVE;
		event.annotations[1] = bytes;
		break;
	case TRACE_EV_sock_connect:
		event.name = NAME_CONNECT;
		break;
	default:
		event.name = NAME_ACCEPT;
	}
	begin(m, e, SLICE_SOCKET, event);
}

void model_socket_wait(struct model *m, const struct merged *e)
{
	begin(m, e, SLICE_SOCKET_WAIT,
	      (struct track_event){.annotations = {argument(ANNOTATION_SOCKET, e->record->a)}});
}

void model_stream_write(struct model *m, const struct merged *e)
{
	instant(m, e,
		(struct track_event){.category = CATEGORY_NET,
				     .name = NAME_STREAM_WRITE,
				     .annotations = {argument(ANNOTATION_SOCKET, e->record->a),
						     argument(ANNOTATION_PEER, e->record->b),
						     argument(ANNOTATION_BYTES, slot(e, SLOT_fc))}});
}

void model_frame(struct model *m, const struct merged *e)
{
	instant(m, e,
		(struct track_event){.category = CATEGORY_NET,
				     .name = slot(e, SLOT_f) ? NAME_FRAME_OUT : NAME_FRAME_IN,
				     .annotations = {argument(ANNOTATION_BYTES, slot(e, SLOT_al))}});
}

void model_tcp_resend(struct model *m, const struct merged *e)
{
	char text[24];

	snprintf(text, sizeof(text), "TCP resend %u", (u32)e->record->c);
	instant(m, e,
		(struct track_event){.category = CATEGORY_NET,
				     .text = text,
				     .annotations = {argument(ANNOTATION_SOCKET, e->record->a)}});
}

/* Linux's event, of which readers make a track for each socket, and the name for who looks at the thread. */
void model_tcp_state(struct model *m, const struct merged *e)
{
	static const char *const states[] = {"?",	   "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
					     "FIN_WAIT1",  "FIN_WAIT2",	  "TIME_WAIT", "CLOSE",
					     "CLOSE_WAIT", "LAST_ACK",	  "LISTEN",    "CLOSING"};
	u32 state = e->record->c < ARRAY_SIZE(states) ? e->record->c : 0;
	struct tcp_change change = {
		.socket = e->record->a,
		.state = state,
		.local_port = (u16)slot(e, SLOT_bl),
		.remote_port = (u16)slot(e, SLOT_bh),
	};
	struct model_socket_state *known = &m->sockets[change.socket % ARRAY_SIZE(m->sockets)];
	char text[24];

	change.old_state = known->socket == change.socket ? known->state : TCP_CLOSED;
	*known = (struct model_socket_state){change.socket, state};
	ftrace_tcp_state(&m->cpus[e->cpu].bundle, model_stamp(m), e->record->tid, &change);
	snprintf(text, sizeof(text), "TCP %s", states[state]);
	instant(m, e,
		(struct track_event){
			.category = CATEGORY_NET,
			.text = text,
			.annotations = {argument(ANNOTATION_SOCKET, change.socket),
					argument(ANNOTATION_LOCAL_PORT, change.local_port),
					argument(ANNOTATION_REMOTE_PORT, change.remote_port)}});
}

/* ---- memory ---- */

void model_page_short(struct model *m, const struct merged *e)
{
	instant(m, e,
		(struct track_event){.category = CATEGORY_MEMORY,
				     .name = NAME_PAGE_SHORT,
				     .annotations = {argument(ANNOTATION_ORDER, e->record->c),
						     argument(ANNOTATION_PAGES, e->record->a)}});
}

void model_oom_wait(struct model *m, const struct merged *e)
{
	begin(m, e, SLICE_OOM,
	      (struct track_event){.annotations = {argument(ANNOTATION_PAGES, e->record->a)}});
}

/* A hart's caches grow and shrink on the hart's track. */
void model_slab(struct model *m, const struct merged *e)
{
	char name[TRACE_TASK_NAME_LEN], text[32];

	event_name(e->record, name);
	snprintf(text, sizeof(text), "%s %s",
		 e->record->type == TRACE_EV_slab_grow ? "grow" : "shrink", name);

	struct track_event event = {
		.ns = model_stamp(m),
		.track = track_of_hart(HART_SLABS, e->cpu),
		.type = EVENT_INSTANT,
		.category = CATEGORY_MEMORY,
		.text = text,
		.annotations = {argument(ANNOTATION_ORDER, e->record->c)},
	};

	track_event(&m->out, &event);
}
