"""Runs a node in a network namespace of its own (start it with `unshare --net`), and prints what it sent.

The one interface there is lo, with a default route over it: whatever a program sends, to wherever, passes
before a packet socket. Needs no `ip`, and no privilege beyond the namespace. Arguments: the checkout, a
home, peers.
"""

import ctypes
import fcntl
import ipaddress
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

SIOCADDRT, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x890B, 0x8913, 0x8914
ALL, UP = 3, 1
ICMP, TCP, UDP = 1, 6, 17


def open_lo() -> None:
    """Up, and the way to everywhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four:
        flags = struct.unpack("16sH14x", fcntl.ioctl(four, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0)))[1]
        fcntl.ioctl(four, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | UP))
        anywhere = struct.pack("=HH4s8x", socket.AF_INET, 0, bytes(4))
        name = ctypes.create_string_buffer(b"lo")
        device = ctypes.addressof(name)
        fcntl.ioctl(  # struct rtentry
            four,
            SIOCADDRT,
            struct.pack(
                "@L16s16s16sHhLPhPLLH", 0, anywhere, anywhere, anywhere, UP, 0, 0, 0, 0, device, 0, 0, 0
            ),
        )
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:  # struct in6_rtmsg
        lo = socket.if_nametoindex("lo")
        route = struct.pack("@16s16s16sIHHILIi", bytes(16), bytes(16), bytes(16), 0, 0, 0, 1, 0, UP, lo)
        fcntl.ioctl(six, SIOCADDRT, route)


def destination(packet: bytes) -> str:
    """Where a packet goes, in words; "" for an answer of this machine's own kernel."""
    version = packet[0] >> 4
    head, kind = ((packet[0] & 15) * 4, packet[9]) if version == 4 else (40, packet[6])
    host = ipaddress.ip_address(packet[16:20] if version == 4 else packet[24:40])
    _, port = struct.unpack_from("!HH", packet, head)
    if kind == TCP and packet[head + 13] & 0b100:  # RST: nobody listens
        return ""
    names = {TCP: "tcp", UDP: "udp"}
    return f"{names[kind]} to {host}:{port}" if kind in names else f"protocol {kind} to {host}"


def watch(sent: "Counter[str]", tap: socket.socket) -> None:
    while True:
        packet, (_, _, direction, *_) = tap.recvfrom(65_536)
        if direction == socket.PACKET_OUTGOING and (where := destination(packet)):
            sent[where] += 1


def is_seen(sent: "Counter[str]") -> bool:
    """A name and an address were asked for: no need to watch on."""
    away = [where for where in list(sent) if not where.startswith("tcp to 127.")]
    return any(where.endswith(":53") for where in away) and any(where.startswith("tcp") for where in away)


def wait_for_failures(node: list[str], count: int, sent: "Counter[str]") -> list[str]:
    """Until each peer was tried once, or something left: what the node says of them."""
    deadline = time.monotonic() + 50
    failed: list[str] = []
    while time.monotonic() < deadline:
        if is_seen(sent):
            return failed
        asked = subprocess.run([*node, "peers", "--json"], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            failed = [peer["error"] for peer in json.loads(asked.stdout) if peer["error"]]
        if len(failed) == count:
            return failed
        time.sleep(0.1)
    raise SystemExit(f"not all peers were tried: {failed}")


def main() -> None:
    checkout, home, *peers = sys.argv[1:]
    open_lo()
    sent: Counter[str] = Counter()
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL))
    threading.Thread(target=watch, args=(sent, tap), daemon=True).start()
    node = [sys.executable, str(Path(checkout) / "node.py"), "--home", home]
    named = [part for peer in peers for part in ("--peer", peer)]
    with subprocess.Popen([*node, "run", *named], stdout=subprocess.DEVNULL, stderr=sys.stderr) as running:
        try:
            failed = wait_for_failures(node, len(peers), sent)
        finally:
            running.terminate()
    json.dump({"sent": sent, "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main()
