"""Two network namespaces with a link between them, for ranks that are as far apart as machines.

The link is two tun devices and a thread that carries packets from one to the other, late and not too fast: many kernels lack
tc's netem. Needs root and ip.
"""

import collections
import fcntl
import os
import pathlib
import select
import stat
import struct
import subprocess
import tempfile
import threading
import time

ADDRESSES = ("10.77.0.1", "10.77.0.2")
PACKET = 16000  # bytes; small ones would measure Python
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
LONGEST_QUEUE = 1.0  # seconds; what would wait longer is lost


class Direction:
    """Packets on their way from one device to the other."""

    def __init__(self, source: int, target: int, delay: float, rate: float) -> None:
        self.source, self.target, self.delay, self.rate = source, target, delay, rate
        self.free = 0.0  # when the wire has sent what it has
        self.waiting: collections.deque[tuple[float, bytes]] = collections.deque()

    def take(self) -> None:
        now = time.monotonic()
        packet = os.read(self.source, PACKET + 100)
        if self.free - now > LONGEST_QUEUE:
            return
        self.free = max(self.free, now) + 8 * len(packet) / self.rate
        self.waiting.append((self.free + self.delay, packet))

    def give(self) -> None:
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            os.write(self.target, self.waiting.popleft()[1])


class Network:
    """While it lasts, `mpirun` starts one rank in each namespace.

    delay: seconds each way; rate: bits a second each way.
    """

    names = ("ranks-check-0", "ranks-check-1")

    def __init__(self, delay: float, rate: float) -> None:
        self.delay, self.rate = delay, rate
        self.folder = tempfile.TemporaryDirectory()
        self.ended = threading.Event()

    def __enter__(self) -> "Network":
        devices = []
        for index, name in enumerate(self.names):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
            subprocess.run(["ip", "netns", "add", name], check=True)
            device = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", f"ranks{index}".encode(), IFF_TUN | IFF_NO_PI))
            subprocess.run(["ip", "link", "set", f"ranks{index}", "netns", name], check=True)
            inside = ["ip", "-n", name]
            subprocess.run([*inside, "address", "add", f"{ADDRESSES[index]}/24", "dev", f"ranks{index}"], check=True)
            subprocess.run([*inside, "link", "set", f"ranks{index}", "mtu", str(PACKET), "up"], check=True)
            subprocess.run([*inside, "link", "set", "lo", "up"], check=True)
            devices.append(device)
        self.devices = devices
        self.thread = threading.Thread(target=self.carry)
        self.thread.start()
        # In the place of ssh: the command runs in the other namespace.
        self.agent = pathlib.Path(self.folder.name) / "agent"
        self.agent.write_text(f'#!/bin/sh\nshift\nexec ip netns exec {self.names[1]} sh -c "$*"\n')
        self.agent.chmod(self.agent.stat().st_mode | stat.S_IXUSR)
        return self

    def carry(self) -> None:
        first, second = self.devices
        ways = [Direction(first, second, self.delay, self.rate), Direction(second, first, self.delay, self.rate)]
        while not self.ended.is_set():
            due = [way.waiting[0][0] for way in ways if way.waiting]
            left = max(0.0, min(due) - time.monotonic()) if due else 0.1
            ready = select.select(self.devices, [], [], left)[0]
            for way in ways:
                if way.source in ready:
                    way.take()
                way.give()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        for device in self.devices:
            os.close(device)
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)
        self.folder.cleanup()

    def mpirun(self, command: list[str]) -> list[str]:
        interfaces = "10.77.0.0/24"
        return [
            "ip", "netns", "exec", self.names[0], "mpirun", "-n", "2", "-H", ",".join(ADDRESSES), "--map-by", "node",
            "--mca", "plm_rsh_agent", str(self.agent), "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include",
            interfaces, "--mca", "oob_tcp_if_include", interfaces, *command,
        ]
