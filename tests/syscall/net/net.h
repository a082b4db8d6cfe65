/*
 * What the network's tests share.
 */
#ifndef TESTS_SYSCALL_NET_NET_H
#define TESTS_SYSCALL_NET_NET_H

#include "tests/syscall/harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* 127.0.0.1 with that port. */
struct sockaddr_in lo_addr(int port);
struct sockaddr_in6 lo6_addr(int port);
/* A listener on 127.0.0.1 and a port of the kernel's choice, which goes to *port. */
int tcp_listener(int backlog, int *port);
/* A connection to it. */
int tcp_client(int port);
/* Two ends of a TCP connection over lo: the connecting one first. */
void tcp_pair(int ends[2]);
/* Its local port. */
int port_of(int fd);
/* Readiness now, of all that poll knows. */
int poll_now(int fd);
/* The errno of a call that must fail, 0 if it did not. */
#define ERRNO_OF(call) ((call) < 0 ? errno : 0)
int so_error(int fd);
int get_int(int fd, int level, int name);
int set_int(int fd, int level, int name, int value);

#define POLL_ALL (POLLIN | POLLPRI | POLLOUT | POLLRDHUP)

#endif
