# For the programs of the groups net and postgresql, by the shell's dot.

# Waits until something listens on a TCP port of any address.
listens() {
	until grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F:]* 0A" /proc/net/tcp /proc/net/tcp6; do
		sleep 0.1
	done
}

# Waits until an UDP port of any address is bound.
hears() {
	until grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") " /proc/net/udp /proc/net/udp6; do
		sleep 0.1
	done
}

# Ends a server and waits for its end.
end() {
	kill "$1"
	wait "$1"
}
