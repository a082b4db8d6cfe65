/* What the benchmarks over the card and their peer at the host's end of the cable agree on. */
#ifndef PERF_NET_PEER_H
#define PERF_NET_PEER_H

#define PEER_ADDRESS "10.77.0.1" /* tools/guest/network.py */
#define PEER_ECHO    7		 /* TCP and UDP: what comes goes back */
#define PEER_DISCARD 9		 /* TCP: takes everything */
#define PEER_SOURCE  19		 /* TCP: PEER_BYTE without end */
#define PEER_BYTE    'x'

#endif
