/* Message queues: every call, command and flag. */
#include <limits.h>

#include "tests/syscall/ipc/ipc.h"

struct message {
	long type;
	char text[8192];
};

static int msg_new(void)
{
	int id = (int)msgget_(IPC_PRIVATE, IPC_CREAT | 0600);

	CHECK(id >= 0);
	return id;
}

static void msg_end(int id)
{
	CHECK_EQ(msgctl_(id, IPC_RMID, 0), 0);
}

static struct msqid_ds msg_stat(int id)
{
	struct msqid_ds ds;

	memset(&ds, 0xee, sizeof(ds));
	CHECK_EQ(msgctl_(id, IPC_STAT, &ds), 0);
	return ds;
}

static long send_text(int id, long type, const char *text, int flags)
{
	struct message m = {.type = type};

	strcpy(m.text, text);
	return msgsnd_(id, &m, strlen(text), flags);
}

/* Receives and compares; the result of msgrcv. */
static long receive_text(int id, long type, int flags, long want_type, const char *want)
{
	struct message m = {0};
	long ret = msgrcv_(id, &m, sizeof(m.text), type, flags);

	if (ret >= 0) {
		CHECK_EQ(m.type, want_type);
		CHECK(strlen(want) == (size_t)ret && !memcmp(m.text, want, (size_t)ret));
	}
	return ret;
}

TEST(msgget_errors)
{
	int key = fresh_key(), id = (int)msgget_(key, IPC_CREAT | 0600);

	CHECK(id >= 0);
	CHECK_EQ(msgget_(fresh_key(), 0600), -ENOENT);
	CHECK_EQ(msgget_(key, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
	CHECK_EQ(msgget_(key, 0), id);
	msg_end(id);
	CHECK_EQ(msgget_(key, 0), -ENOENT);
}

TEST(msgsnd_errors)
{
	struct message m = {.type = 1};
	int id = msg_new();

	CHECK_EQ(msgsnd_(-1, &m, 1, 0), -EINVAL);
	CHECK_EQ(msgsnd_(0x7fffffff, &m, 1, 0), -EINVAL);
	CHECK_EQ(msgsnd_(id, &m, 8193, 0), -EINVAL);
	CHECK_EQ(msgsnd_(id, &m, -1, 0), -EINVAL);
	CHECK_EQ(msgsnd_(id, page_unmapped(), 1, 0), -EFAULT);
	CHECK_EQ(msgsnd_(-1, page_unmapped(), 1, 0), -EFAULT);
	CHECK_EQ(msgsnd_(id, page_read_only() + PAGE - 8, 1, 0), -EINVAL); /* type 0 */
	m.type = 0;
	CHECK_EQ(msgsnd_(id, &m, 1, 0), -EINVAL);
	m.type = -1;
	CHECK_EQ(msgsnd_(id, &m, 1, 0), -EINVAL);
	m.type = 1;
	CHECK_EQ(msgsnd_(id, &m, 0, 0), 0);
	CHECK_EQ(msgsnd_(id, &m, 8192, 0), 0);
	CHECK_EQ(msgsnd_(id, &m, 8192, IPC_NOWAIT), 0);
	CHECK_EQ(msgsnd_(id, &m, 1, IPC_NOWAIT), -EAGAIN);
	CHECK_EQ(msgsnd_(id, &m, 0, IPC_NOWAIT), 0);
	CHECK_EQ(msg_stat(id).msg_qnum, 4);
	msg_end(id);
	CHECK_EQ(msgsnd_(id, &m, 1, 0), -EINVAL);
}

TEST(msgsnd_text_that_cannot_be_read)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int id = msg_new();

	munmap(page + PAGE, PAGE);
	*(long *)(page + PAGE - 8) = 1;
	CHECK_EQ(msgsnd_(id, page + PAGE - 8, 0, 0), 0);
	CHECK_EQ(msgsnd_(id, page + PAGE - 8, 1, 0), -EFAULT);
	CHECK_EQ(msg_stat(id).msg_qnum, 1);
	munmap(page, PAGE);
	msg_end(id);
}

TEST(msgrcv_errors)
{
	struct message m;
	int id = msg_new();

	CHECK_EQ(msgrcv_(-1, &m, 1, 0, IPC_NOWAIT), -EINVAL);
	CHECK_EQ(msgrcv_(0x7fffffff, &m, 1, 0, IPC_NOWAIT), -EINVAL);
	CHECK_EQ(msgrcv_(id, &m, -1, 0, IPC_NOWAIT), -EINVAL);
	CHECK_EQ(msgrcv_(id, &m, 1, 0, IPC_NOWAIT), -ENOMSG);
	CHECK_EQ(msgrcv_(id, &m, 1, 0, MSG_COPY), -EINVAL);
	CHECK_EQ(msgrcv_(id, &m, 1, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), -EINVAL);
	CHECK_EQ(msgrcv_(id, &m, 1, 0, MSG_COPY | IPC_NOWAIT), -ENOMSG);
	CHECK_EQ(send_text(id, 1, "12345", 0), 0);
	CHECK_EQ(msgrcv_(id, &m, 4, 0, 0), -E2BIG);
	CHECK_EQ(msg_stat(id).msg_qnum, 1);
	CHECK_EQ(msgrcv_(id, &m, 4, 2, IPC_NOWAIT), -ENOMSG);
	/* Taken, and lost with the bad address. */
	CHECK_EQ(msgrcv_(id, page_unmapped(), 5, 0, 0), -EFAULT);
	CHECK_EQ(msg_stat(id).msg_qnum, 0);
	msg_end(id);
	CHECK_EQ(msgrcv_(id, &m, 1, 0, IPC_NOWAIT), -EINVAL);
}

TEST(msgrcv_types)
{
	int id = msg_new();

	CHECK_EQ(send_text(id, 3, "three", 0), 0);
	CHECK_EQ(send_text(id, 5, "five", 0), 0);
	CHECK_EQ(send_text(id, 2, "two", 0), 0);
	CHECK_EQ(send_text(id, 3, "three again", 0), 0);
	CHECK_EQ(send_text(id, LONG_MAX, "most", 0), 0);
	CHECK_EQ(receive_text(id, 4, IPC_NOWAIT, 0, ""), -ENOMSG);
	CHECK_EQ(receive_text(id, -1, IPC_NOWAIT, 0, ""), -ENOMSG);
	CHECK_EQ(receive_text(id, -4, 0, 2, "two"), 3);
	CHECK_EQ(receive_text(id, 5, 0, 5, "five"), 4);
	CHECK_EQ(receive_text(id, 3, MSG_EXCEPT, LONG_MAX, "most"), 4);
	CHECK_EQ(receive_text(id, 3, MSG_EXCEPT | IPC_NOWAIT, 0, ""), -ENOMSG);
	CHECK_EQ(receive_text(id, LONG_MIN, 0, 3, "three"), 5);
	CHECK_EQ(receive_text(id, 0, 0, 3, "three again"), 11);
	CHECK_EQ(receive_text(id, 0, IPC_NOWAIT, 0, ""), -ENOMSG);
	msg_end(id);
}

TEST(msgrcv_truncates)
{
	struct message m;
	int id = msg_new();

	CHECK_EQ(send_text(id, 1, "abcdef", 0), 0);
	memset(&m, 'x', sizeof(m));
	CHECK_EQ(msgrcv_(id, &m, 3, 0, MSG_NOERROR), 3);
	CHECK(!memcmp(m.text, "abcx", 4));
	CHECK_EQ(msg_stat(id).msg_qnum, 0);
	CHECK_EQ(send_text(id, 1, "abcdef", 0), 0);
	CHECK_EQ(msgrcv_(id, &m, 0, 0, MSG_NOERROR), 0);
	msg_end(id);
}

TEST(msgrcv_copy)
{
	struct message m = {0};
	int id = msg_new();

	CHECK_EQ(send_text(id, 7, "first", 0), 0);
	CHECK_EQ(send_text(id, 8, "second", 0), 0);
	if (msgrcv_(id, &m, sizeof(m.text), 0, MSG_COPY | IPC_NOWAIT) == -ENOSYS) {
		test_skip("built without MSG_COPY");
		msg_end(id);
		return;
	}
	CHECK_EQ(receive_text(id, 0, MSG_COPY | IPC_NOWAIT, 7, "first"), 5);
	CHECK_EQ(receive_text(id, 1, MSG_COPY | IPC_NOWAIT, 8, "second"), 6);
	CHECK_EQ(receive_text(id, 2, MSG_COPY | IPC_NOWAIT, 0, ""), -ENOMSG);
	CHECK_EQ(msgrcv_(id, &m, 3, 1, MSG_COPY | IPC_NOWAIT), -E2BIG);
	CHECK_EQ(msgrcv_(id, &m, 3, 1, MSG_COPY | IPC_NOWAIT | MSG_NOERROR), -EINVAL);
	CHECK_EQ(msg_stat(id).msg_qnum, 2);
	CHECK_EQ(msg_stat(id).msg_lrpid, 0);
	msg_end(id);
}

TEST(msg_stat_fields)
{
	int key = fresh_key(), id = (int)msgget_(key, IPC_CREAT | 0640);
	time_t now = time(NULL);
	struct msqid_ds ds = msg_stat(id);

	CHECK_EQ(ds.msg_perm.__key, key);
	CHECK_EQ(ds.msg_perm.mode, 0640);
	CHECK_EQ(ds.msg_qnum, 0);
	CHECK_EQ(ds.msg_qbytes, 16384);
	CHECK_EQ(ds.msg_stime, 0);
	CHECK_EQ(ds.msg_rtime, 0);
	CHECK_EQ(ds.msg_lspid, 0);
	CHECK(ds.msg_ctime >= now - 1);
	CHECK_EQ(send_text(id, 1, "hello", 0), 0);
	ds = msg_stat(id);
	CHECK_EQ(ds.msg_qnum, 1);
	CHECK_EQ(ds.__msg_cbytes, 5);
	CHECK_EQ(ds.msg_lspid, getpid());
	CHECK(ds.msg_stime >= now - 1);
	CHECK_EQ(receive_text(id, 0, 0, 1, "hello"), 5);
	ds = msg_stat(id);
	CHECK_EQ(ds.msg_lrpid, getpid());
	CHECK(ds.msg_rtime >= now - 1);
	CHECK_EQ(ds.__msg_cbytes, 0);
	ds.msg_qbytes = 100;
	ds.msg_perm.uid = 4;
	ds.msg_perm.mode = 0777;
	CHECK_EQ(msgctl_(id, IPC_SET, &ds), 0);
	ds = msg_stat(id);
	CHECK_EQ(ds.msg_qbytes, 100);
	CHECK_EQ(ds.msg_perm.uid, 4);
	CHECK_EQ(ds.msg_perm.mode, 0777);
	ds.msg_qbytes = 1 << 20; /* root may exceed msgmnb */
	CHECK_EQ(msgctl_(id, IPC_SET, &ds), 0);
	msg_end(id);
}

TEST(msgctl_errors)
{
	struct msqid_ds ds;
	int id = msg_new();

	CHECK_EQ(msgctl_(-1, IPC_STAT, &ds), -EINVAL);
	CHECK_EQ(msgctl_(id, 99, &ds), -EINVAL);
	CHECK_EQ(msgctl_(id, -1, &ds), -EINVAL);
	CHECK_EQ(msgctl_(id, IPC_STAT, page_unmapped()), -EFAULT);
	CHECK_EQ(msgctl_(id, IPC_SET, page_unmapped()), -EFAULT);
	CHECK_EQ(msgctl_(0x7fffffff, IPC_STAT, &ds), -EINVAL);
	CHECK_EQ(msgctl_(0x7fffffff, IPC_SET, page_unmapped()), -EFAULT);
	CHECK_EQ(msgctl_(0x7fffffff, IPC_RMID, 0), -EINVAL);
	CHECK_EQ(msgctl_(32767, MSG_STAT, &ds), -EINVAL);
	CHECK_EQ(msgctl_(32767, MSG_STAT_ANY, &ds), -EINVAL);
	CHECK_EQ(msgctl_(0, IPC_INFO, page_unmapped()), -EFAULT);
	ds = msg_stat(id);
	ds.msg_perm.uid = (uid_t)-1;
	CHECK_EQ(msgctl_(id, IPC_SET, &ds), -EINVAL);
	msg_end(id);
}

TEST(msgctl_info)
{
	struct msginfo info, more;
	struct msqid_ds ds;
	int id, highest, found = 0;

	CHECK(msgctl_(0, IPC_INFO, &info) >= 0);
	CHECK_EQ(info.msgmax, 8192);
	CHECK_EQ(info.msgmnb, 16384);
	CHECK_EQ(info.msgmni, 32000);
	CHECK_EQ(info.msgpool, 512000);
	CHECK_EQ(info.msgmap, 16384);
	CHECK_EQ(info.msgssz, 16);
	CHECK_EQ(info.msgtql, 16384);
	CHECK_EQ(info.msgseg, 0xffff);
	CHECK(msgctl_(0, MSG_INFO, &info) >= 0);
	id = msg_new();
	CHECK_EQ(send_text(id, 1, "hello", 0), 0);
	CHECK_EQ(send_text(id, 1, "", 0), 0);
	highest = (int)msgctl_(0, MSG_INFO, &more);
	CHECK_EQ(more.msgpool, info.msgpool + 1);
	CHECK_EQ(more.msgmap, info.msgmap + 2);
	CHECK_EQ(more.msgtql, info.msgtql + 5);
	for (int i = 0; i <= highest; i++) {
		found += msgctl_(i, MSG_STAT, &ds) == id;
		found += msgctl_(i, MSG_STAT_ANY, &ds) == id;
	}
	CHECK_EQ(found, 2);
	msg_end(id);
}

TEST(msg_in_proc)
{
	int key = fresh_key(), id = (int)msgget_(key, IPC_CREAT | 0640);
	long mode, bytes, count;
	char line[256];

	CHECK_EQ(send_text(id, 1, "hello", 0), 0);
	CHECK(sysvipc_line("msg", id, line, sizeof(line)));
	CHECK_EQ(sscanf(line, "%*d %*d %lo %ld %ld", &mode, &bytes, &count), 3);
	CHECK_EQ(mode, 0640);
	CHECK_EQ(bytes, 5);
	CHECK_EQ(count, 1);
	CHECK_EQ(strlen(line), 119);
	msg_end(id);
}

/* ---- waiting ---- */

struct request {
	int id;
	long type, size;
	int flags;
};

static int receive(void *arg)
{
	struct request *r = arg;
	struct message m;
	long ret = msgrcv_(r->id, &m, r->size, r->type, r->flags);

	return ret < 0 ? (int)-ret : m.text[0];
}

static int send(void *arg)
{
	struct request *r = arg;
	struct message m = {.type = r->type};

	return (int)-msgsnd_(r->id, &m, r->size, r->flags);
}

static pid_t start_and_sleep(int (*fn)(void *), struct request r)
{
	pid_t pid = child_start(fn, &r);

	WAIT_UNTIL(child_sleeps(pid));
	return pid;
}

TEST(msgrcv_waits_for_its_type)
{
	int id = msg_new();
	pid_t two = start_and_sleep(receive, (struct request){id, 2, 100, 0});
	pid_t any = start_and_sleep(receive, (struct request){id, 0, 100, 0});

	CHECK_EQ(send_text(id, 1, "A", 0), 0);
	CHECK_EQ(child_wait(any), 'A');
	CHECK_EQ(msg_stat(id).msg_lrpid, any);
	CHECK_EQ(send_text(id, 3, "C", 0), 0);
	CHECK_EQ(msg_stat(id).msg_qnum, 1);
	CHECK_EQ(send_text(id, 2, "B", 0), 0);
	CHECK_EQ(child_wait(two), 'B');
	CHECK_EQ(msg_stat(id).msg_qnum, 1);
	msg_end(id);
}

TEST(msgrcv_in_order_of_arrival)
{
	int id = msg_new();
	pid_t first = start_and_sleep(receive, (struct request){id, 0, 100, 0});
	pid_t second = start_and_sleep(receive, (struct request){id, -5, 100, 0});

	CHECK_EQ(send_text(id, 4, "1", 0), 0);
	CHECK_EQ(send_text(id, 4, "2", 0), 0);
	CHECK_EQ(child_wait(first), '1');
	CHECK_EQ(child_wait(second), '2');
	msg_end(id);
}

/* A receiver with too little room fails, and the message goes to the next. */
TEST(msgrcv_wakes_with_too_big)
{
	int id = msg_new();
	pid_t small = start_and_sleep(receive, (struct request){id, 0, 2, 0});
	pid_t cut = start_and_sleep(receive, (struct request){id, 0, 2, MSG_NOERROR});

	CHECK_EQ(send_text(id, 1, "Zzz", 0), 0);
	CHECK_EQ(child_wait(small), E2BIG);
	CHECK_EQ(child_wait(cut), 'Z');
	msg_end(id);
}

TEST(msgsnd_waits_for_room)
{
	struct message m = {.type = 1};
	int id = msg_new();
	pid_t big, little;

	CHECK_EQ(msgsnd_(id, &m, 8192, 0), 0);
	CHECK_EQ(msgsnd_(id, &m, 8000, 0), 0);
	big = start_and_sleep(send, (struct request){id, 2, 8192, 0});
	little = start_and_sleep(send, (struct request){id, 3, 300, 0});
	CHECK_EQ(msg_stat(id).msg_qnum, 2);
	CHECK_EQ(msgrcv_(id, &m, 8192, 0, 0), 8192);
	CHECK_EQ(child_wait(big), 0);
	CHECK_EQ(msgrcv_(id, &m, 8192, 0, 0), 8000);
	CHECK_EQ(child_wait(little), 0);
	CHECK_EQ(msgrcv_(id, &m, 8192, 2, IPC_NOWAIT), 8192);
	CHECK_EQ(msgrcv_(id, &m, 8192, 3, IPC_NOWAIT), 300);
	msg_end(id);
}

TEST(msg_waits_end_by_removal)
{
	struct message m = {.type = 1};
	int id = msg_new(), full = msg_new();
	pid_t receiver = start_and_sleep(receive, (struct request){id, 0, 100, 0}), sender;

	CHECK_EQ(msgsnd_(full, &m, 8192, 0), 0);
	CHECK_EQ(msgsnd_(full, &m, 8192, 0), 0);
	sender = start_and_sleep(send, (struct request){full, 1, 8192, 0});
	msg_end(id);
	msg_end(full);
	CHECK_EQ(child_wait(receiver), EIDRM);
	CHECK_EQ(child_wait(sender), EIDRM);
}

static void do_nothing(int signal)
{
	(void)signal;
}

static int receive_with_handler(void *arg)
{
	struct sigaction sa = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};

	sigaction(SIGUSR1, &sa, NULL);
	return receive(arg);
}

TEST(msg_waits_end_by_signal)
{
	int id = msg_new();
	pid_t pid = start_and_sleep(receive_with_handler, (struct request){id, 0, 100, 0});

	kill(pid, SIGUSR1);
	CHECK_EQ(child_wait(pid), EINTR);
	/* A stop is no end: without a handler the call goes on. */
	pid = start_and_sleep(receive, (struct request){id, 0, 100, 0});
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
	kill(pid, SIGCONT);
	WAIT_UNTIL(child_sleeps(pid));
	CHECK_EQ(send_text(id, 1, "C", 0), 0);
	CHECK_EQ(child_wait(pid), 'C');
	msg_end(id);
}

TEST(msgctl_set_makes_room)
{
	struct message m = {.type = 1};
	int id = msg_new();
	struct msqid_ds ds;
	pid_t pid;

	CHECK_EQ(msgsnd_(id, &m, 8192, 0), 0);
	CHECK_EQ(msgsnd_(id, &m, 8192, 0), 0);
	pid = start_and_sleep(send, (struct request){id, 1, 8192, 0});
	ds = msg_stat(id);
	ds.msg_qbytes = 30000;
	CHECK_EQ(msgctl_(id, IPC_SET, &ds), 0);
	CHECK_EQ(child_wait(pid), 0);
	CHECK_EQ(msg_stat(id).msg_qnum, 3);
	msg_end(id);
}

static int receive_as_nobody(void *arg)
{
	become_nobody();
	return receive(arg);
}

TEST(msgctl_set_takes_permission_away)
{
	int id = msg_new();
	struct msqid_ds ds = msg_stat(id);
	pid_t pid;

	ds.msg_perm.mode = 0666;
	CHECK_EQ(msgctl_(id, IPC_SET, &ds), 0);
	pid = start_and_sleep(receive_as_nobody, (struct request){id, 0, 100, 0});
	ds.msg_perm.mode = 0600;
	CHECK_EQ(msgctl_(id, IPC_SET, &ds), 0);
	CHECK_EQ(child_wait(pid), EACCES);
	msg_end(id);
}
