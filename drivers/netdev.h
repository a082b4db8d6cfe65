/*
 * Network devices: what a driver shows of its card to kernel/net, and what it hands up. A device has one or more pairs of queues; a pair is
 * used by one hart at a time (the caller's lock), different pairs by different harts at once.
 *
 * Received data lie in pages that the driver allocated; the struct netdev_buffer at a page's start is followed by room that belongs to whoever
 * holds the buffer. Sent data are read in place: the pieces of a packet stay untouched until `sent` names its cookie.
 */
#ifndef DRIVERS_NETDEV_H
#define DRIVERS_NETDEV_H

#include "lib/types.h"

#define NETDEV_PIECES_MAX 20U /* of a packet to send: 64 KiB in pages, headers, and a rest */
#define NETDEV_ROOM	  120U

/* A received buffer, at the start of its own page. */
struct netdev_buffer {
	struct netdev_buffer *next; /* of the same frame; NULL: the last */
	u8 *data;
	u32 length;
	u64 room[NETDEV_ROOM / sizeof(u64)]; /* the holder's */
};

/* A received Ethernet frame; the device may have merged several segments of one stream. */
struct netdev_frame {
	struct netdev_buffer *first;
	u32 length;
	bool checksum_good; /* the device looked, or a neighbour on the same machine sent it: then only the pseudo header is summed */
};

struct netdev_piece {
	const void *data; /* in the direct map */
	u32 length;
};

enum netdev_gso { NETDEV_GSO_NONE, NETDEV_GSO_TCPV4, NETDEV_GSO_TCPV6 };

/* A frame to send. With NETDEV_F_CSUM the device may finish its checksum; with NETDEV_F_TSO* it cuts a long one into segments. */
struct netdev_packet {
	struct netdev_piece pieces[NETDEV_PIECES_MAX];
	u32 nr_pieces;
	bool checksum; /* the sum from `checksum_start` on goes to checksum_start + checksum_offset, where the pseudo header's sum lies */
	u16 checksum_start, checksum_offset;
	enum netdev_gso gso;
	u16 segment_size;  /* payload bytes of a segment */
	u16 header_length; /* Ethernet, IP and TCP headers together */
	void *cookie;	   /* not NULL */
};

#define NETDEV_F_CSUM BIT(0) /* takes packets without checksum */
#define NETDEV_F_TSO4 BIT(1)
#define NETDEV_F_TSO6 BIT(2)

struct netdev;

/* The driver's side. No function sleeps. */
struct netdev_ops {
	/*
	 * Puts a packet on the queue; the device is told by flush(). 0; -ENOBUFS: the queue is full until `sent` is called; -EIO: the
	 * device is broken.
	 */
	int (*send)(struct netdev *d, u32 queue, const struct netdev_packet *p);
	void (*flush)(struct netdev *d, u32 queue);
	/* Hands up at most `budget` received frames and every sent packet; refills. Returns the frames. */
	u32 (*poll)(struct netdev *d, u32 queue, u32 budget);
	/* Interrupts of a queue on: false, and off again, if something came meanwhile (poll once more). */
	bool (*arm)(struct netdev *d, u32 queue);
	void (*disarm)(struct netdev *d, u32 queue);
};

/* The user's side, set by netdev_attach(). */
struct netdev_user {
	/* Takes over the frame's buffers. From poll(). */
	void (*receive)(struct netdev *d, u32 queue, const struct netdev_frame *f);
	/*
	 * The device has read the packet. From poll() or send(): at the latest when half of the queue is in use; the last packets before
	 * a silence wait for the next one.
	 */
	void (*sent)(struct netdev *d, u32 queue, void *cookie);
	/* The queue was armed and has work, or the link changed. From an interrupt: may only wake. */
	void (*work)(struct netdev *d, u32 queue);
};

struct netdev {
	char name[8];  /* [I] "eth0" */
	u8 address[6]; /* [I] */
	u32 mtu;       /* [I] */
	u32 features;  /* [I] NETDEV_F_* */
	u32 nr_queues; /* [I] pairs that the device really has */
	bool link;     /* [a] */
	u64 rx_errors; /* [a] frames dropped because the device contradicted itself */
	const struct netdev_ops *ops;	/* [I] */
	const struct netdev_user *user; /* [a] NULL until attached */
	void *driver;			/* [I] the driver's own */
	void *owner;			/* [I] the user's own */
};

/* Gives a buffer back. Any hart, any context. */
void netdev_buffer_free(struct netdev_buffer *b);
void netdev_buffers_free(struct netdev_buffer *first); /* a whole frame's; NULL: none */
/* Device `number`, counted from 0; NULL: there are no more. After the drivers started. */
struct netdev *netdev_get(u32 number);
/* The driver's: names the device and adds it. Boot. */
void netdev_register(struct netdev *d);
/* Takes a device into use: frames arrive from now on; poll, then arm each queue. */
void netdev_attach(struct netdev *d, const struct netdev_user *user, void *owner);

#endif
