#!/usr/bin/env python3
"""embed.py FILE NAME: prints C source that defines NAME[] as the bytes of FILE and NAME_size."""
import sys


def main():
    data = open(sys.argv[1], "rb").read()
    name = sys.argv[2]
    print(f"extern const unsigned char {name}[];\nextern const unsigned long {name}_size;")
    print(f"const unsigned char {name}[] __attribute__((aligned(8))) = {{")
    for i in range(0, len(data), 16):
        print("\t" + " ".join(f"0x{b:02x}," for b in data[i : i + 16]))
    print(f"}};\nconst unsigned long {name}_size = sizeof({name});")


if __name__ == "__main__":
    main()
