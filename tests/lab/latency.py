"""Delays packets to one lab host: reads them from a tun device and sends them on later, by the given milliseconds.

The kernel's netem is missing from many small kernels; a tun device is not. The whole round trip is delayed on the
way in. Commands come on stdin, one per line: the new delay. The end of stdin ends it.
usage: latency.py TUN DEVICE MAC MILLISECONDS
"""

import collections
import fcntl
import os
import select
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def main() -> None:
    name, device, mac, delay = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]) / 1000
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    out = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    target = (device, 0x0800, 0, 0, bytes.fromhex(mac.replace(":", "")))
    queue = collections.deque()
    print("ready", flush=True)
    while True:
        wait = max(0.0, queue[0][0] - time.monotonic()) if queue else None
        readable, _, _ = select.select([tun, 0], [], [], wait)
        if 0 in readable:
            line = os.read(0, 100)
            if not line:
                return
            delay = float(line.split()[-1]) / 1000
        if tun in readable:
            for _ in range(64):
                try:
                    queue.append((time.monotonic() + delay, os.read(tun, 65536)))
                except BlockingIOError:
                    break
        while queue and queue[0][0] <= time.monotonic():
            packet = queue.popleft()[1]
            try:
                out.sendto(packet, target)
            except OSError:
                pass  # a lost packet, as on any network


main()
