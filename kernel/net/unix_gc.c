/*
 * Sockets in flight: freeing them without recursion, and collecting those that only reach each other.
 *
 * The graph has an edge for each AF_UNIX socket that waits in a message: from the socket whose queue it waits in (`queue`; of a connection that nobody has
 * accepted, its listener) to the one that waits. An edge holds one reference on that one's file. A socket in flight is garbage when every reference on its
 * file is such an edge and every edge comes from garbage: then no program reaches it, nor ever will. Its queue is emptied, which closes it.
 *
 *	alive if	refs of the file > edges to it			some table, or some call, has it
 *	alive if	an edge comes from a socket that is not in flight	that one's own file is open
 *	alive if	an edge comes from one that is alive
 *
 * Why the reading of one `refs` after the other is no race: edges change under `graph` only, which is held. A socket that has no reference but edges can get
 * another one only by a receive from a queue that it waits in. Who receives has a reference on that queue's owner until the call ends, and cannot end it
 * before the edge is taken away, which needs `graph`. So that owner is seen alive, and with it all that its queue held when the reading began.
 * What is added after the edge by a send that is still under way goes to a queue that is closed, which frees it.
 *
 * Freeing: the last reference on a socket's file may be in a message in another one's queue, and so on: each would be closed inside of the close of the one
 * before. So messages with sockets go on a list, and one thread at a time frees them, one after the other. Who comes while it is at work, itself among
 * them, leaves the message to it.
 *
 * A collection costs a look at every socket in flight, so it is made only when a circle is possible (an edge to a socket that has edges) and an AF_UNIX socket
 * is closed, as on Linux, or much is in flight.
 */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/inbox.h"
#include "kernel/sync/park.h"

#define COLLECT_EDGES 16000U /* in flight: sends collect, too */

LOCK_CLASS(unix_graph, RANK_UNIX_GRAPH);

struct unix_edge {
	struct list link;	 /* [L:graph] in the edges of the queue's owner */
	struct unix_sock *queue; /* [I] whose queue it waits in */
	struct unix_sock *to;	 /* [I] the message has a reference on its file */
};

static struct mutex graph = MUTEX_INIT(graph, unix_graph_class);
static struct list in_flight =
	LIST_INIT(in_flight); /* [L:graph] sockets that edges lead to: unix_sock.flight */
static u32 nr_edges;	      /* [L:graph] */
static u32 may_be_circular;   /* [a] changes under graph */

static struct inbox dead;     /* messages to free */
static u32 collect_wanted;    /* [a] */
static struct thread *reaper; /* [a] who frees and collects; NULL: nobody */

static struct unix_sock *unix_of_file(struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->family == AF_UNIX ? unix_of(s) : NULL;
}

/* ---- edges ---- */

/*
 * Whose file keeps the queue of `u` alive: a connection not yet accepted hangs on its listener.
 * Context: graph locked.
 */
static struct unix_sock *queue_owner(struct unix_sock *u)
{
	return u->embryo_of ? u->embryo_of : u;
}

void unix_scm_adopt(struct unix_sock *listener, struct unix_sock *child)
{
	struct unix_edge *e, *next;

	mutex_lock(&graph);
	child->embryo_of = NULL;
	list_for_each_safe(e, next, &listener->edges, link) {
		if (e->queue == child) {
			list_del(&e->link);
			list_add(&child->edges, &e->link);
		}
	}
	mutex_unlock(&graph);
}

static u32 count_sockets(const struct unix_scm *scm)
{
	u32 n = 0;

	for (u32 i = 0; i < scm->nr_files; i++)
		n += unix_of_file(scm->files[i]) != NULL;
	return n;
}

/* Context: graph locked. */
static void edge_add(struct unix_edge *e, struct unix_sock *owner)
{
	struct unix_sock *to = e->to;

	if (to == owner || !list_empty(&to->edges))
		atomic_store_relaxed(&may_be_circular, 1);
	list_add(&owner->edges, &e->link);
	if (to->nr_flights++ == 0)
		list_add(&in_flight, &to->flight);
	nr_edges++;
}

static void edge_remove(struct unix_edge *e)
{
	list_del(&e->link);
	if (--e->to->nr_flights == 0)
		list_del(&e->to->flight);
	if (--nr_edges == 0)
		atomic_store_relaxed(&may_be_circular, 0);
}

int unix_graph_add(struct unix_scm *scm, struct unix_sock *to)
{
	struct unix_edge *e;
	bool many;

	scm->nr_edges = count_sockets(scm);
	if (!scm->nr_edges)
		return 0;
	e = scm->edges = kzalloc(scm->nr_edges * sizeof(*e));
	if (!e)
		return -ENOMEM;
	mutex_lock(&graph);
	for (u32 i = 0; i < scm->nr_files; i++) {
		struct unix_sock *u = unix_of_file(scm->files[i]);

		if (!u)
			continue;
		*e = (struct unix_edge){.queue = to, .to = u};
		edge_add(e++, queue_owner(to));
	}
	many = nr_edges > COLLECT_EDGES;
	mutex_unlock(&graph);
	if (many)
		unix_collect();
	return 0;
}

static void graph_remove(struct unix_scm *scm)
{
	mutex_lock(&graph);
	for (u32 i = 0; i < scm->nr_edges; i++)
		edge_remove(&scm->edges[i]);
	mutex_unlock(&graph);
	kfree(scm->edges);
	scm->edges = NULL;
}

/* ---- what is garbage ---- */

/* Context: graph locked. Notes that `u`, in flight, is alive: on the list of those whose edges are still to be followed. */
static void reached(struct unix_sock *u, struct list *todo)
{
	if (u->alive)
		return;
	u->alive = true;
	list_add_tail(todo, &u->visit);
}

/* Context: graph locked. Marks the sockets in flight that something outside of the graph reaches. */
static void mark_alive(void)
{
	struct list todo = LIST_INIT(todo);
	struct unix_sock *u;
	struct unix_edge *e;

	list_for_each(u, &in_flight, flight) {
		u->alive = false;
		u->nr_inner = 0;
	}
	list_for_each(u, &in_flight, flight)
		list_for_each(e, &u->edges, link)
			e->to->nr_inner++;
	list_for_each(u, &in_flight, flight)
		if (u->nr_inner < u->nr_flights ||
		    atomic_load_relaxed(&u->s.file->refs) > u->nr_flights)
			reached(u, &todo);
	while (!list_empty(&todo)) {
		u = list_first(&todo, struct unix_sock, visit);
		list_del(&u->visit);
		list_for_each(e, &u->edges, link)
			reached(e->to, &todo);
	}
}

/* Those that are not alive, a reference each. */
static void find_garbage(struct list *garbage)
{
	struct unix_sock *u;

	mutex_lock(&graph);
	mark_alive();
	list_for_each(u, &in_flight, flight) {
		if (u->alive)
			continue;
		socket_get(&u->s);
		list_add_tail(garbage, &u->visit);
	}
	mutex_unlock(&graph);
}

static void collect(void)
{
	struct list garbage = LIST_INIT(garbage);

	find_garbage(&garbage);
	while (!list_empty(&garbage)) {
		struct unix_sock *u = list_first(&garbage, struct unix_sock, visit);

		list_del(&u->visit);
		unix_purge(u);
		socket_put(&u->s);
	}
}

/* ---- freeing ---- */

static void free_dead(struct unix_scm *scm)
{
	graph_remove(scm);
	unix_scm_free_files(scm);
}

static void reap(void)
{
	struct thread *me = thread_current();

	/* The exchange is a full barrier, as is the push: pairs with the fence below. A push that meets a reaper is seen by that one's last look. */
	while ((!inbox_empty(&dead) || atomic_load_relaxed(&collect_wanted)) &&
	       atomic_cas(&reaper, NULL, me)) {
		struct inbox_node *n = inbox_take_all(&dead), *next;

		for (; n; n = next) {
			next = n->next;
			free_dead(container_of(n, struct unix_scm, dead));
		}
		if (atomic_load_relaxed(&collect_wanted) && atomic_xchg(&collect_wanted, 0))
			collect();
		atomic_store_release(&reaper, NULL);
		fence_full();
	}
}

void unix_scm_free(struct unix_scm *scm)
{
	if (!scm)
		return;
	if (!scm->edges) {
		unix_scm_free_files(scm);
		return;
	}
	inbox_push(&dead, &scm->dead);
	reap();
}

void unix_collect(void)
{
	if (likely(!atomic_load_relaxed(&may_be_circular)))
		return;
	atomic_xchg(&collect_wanted, 1);
	reap();
}
