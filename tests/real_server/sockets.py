"""The addresses that a group of processes listens on, read from Linux's /proc."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN in the kernel's include/net/tcp_states.h


def listening(group: int) -> set[tuple[str, int]]:
    """(address, port) of every TCP socket that a process of the process group `group` listens on."""
    inodes = {inode for pid in processes(group) for inode in _socket_inodes(pid)}
    found = set()
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        if path.exists():
            found |= {place for inode, place in listeners(path.read_text()).items() if inode in inodes}
    return found


def processes(group: int) -> list[int]:
    """The ids of the processes of the process group `group`, zombies aside."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it ended meanwhile
            continue
        if int(pgrp) == group and state != "Z":
            members.append(int(stat.parent.name))
    return members


def listeners(table: str) -> dict[str, tuple[str, int]]:
    """inode -> (address, port) of the listening sockets in the text of /proc/net/tcp or tcp6."""
    found = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTEN:
            address, _, port = fields[1].partition(":")
            found[fields[9]] = (_address(address), int(port, 16))
    return found


def _address(hexadecimal: str) -> str:
    """The address that the kernel prints as 32-bit words in this machine's byte order."""
    words = [int(hexadecimal[at : at + 8], 16) for at in range(0, len(hexadecimal), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed)


def _socket_inodes(pid: int) -> set[str]:
    inodes = set()
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = str(link.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:  # the process, or one of its files, went away meanwhile
        pass
    return inodes
