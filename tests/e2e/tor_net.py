"""A Tor network of its own on loopback: three authorities, three relays, an onion service and a client.

After chutney's templates. Needs `tor` and `tor-gencert` (Debian: the package tor); talks to nobody outside.
"""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from p2pforum.config import Proxy

IS_HERE = shutil.which("tor") is not None and shutil.which("tor-gencert") is not None

_COMMON = """
TestingTorNetwork 1
AssumeReachable 1
PathsNeededToBuildCircuits 0.25
TestingDirAuthVoteExit *
TestingDirAuthVoteHSDir *
TestingDirAuthVoteGuard *
TestingMinExitFlagThreshold 0
V3AuthNIntervalsValid 2
ShutdownWaitLength 0
Log notice stdout
"""
_AUTHORITY = """
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo nobody@example.invalid
TestingV3AuthInitialVotingInterval 5
V3AuthVotingInterval 10
TestingV3AuthInitialVoteDelay 2
V3AuthVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthDistDelay 2
"""
_RELAY = """
Address 127.0.0.1
SocksPort 0
ExitRelay 1
ExitPolicy accept *:*
ExitPolicyRejectPrivate 0
"""
_AUTHORITIES, _RELAYS = ("a0", "a1", "a2"), ("r0", "r1", "r2")


@dataclass
class TorNet:
    """`onion` leads to `target`; `proxy` is the client's."""

    directory: Path
    target: int
    proxy: Proxy
    control: int

    @property
    def onion(self) -> str:
        return (self.directory / "hs/svc/hostname").read_text().strip().removesuffix(".onion")

    def streams(self) -> list[tuple[str, str]]:
        """Open ones of the client: the circuit, and where to."""
        with socket.create_connection(("127.0.0.1", self.control)) as control:
            control.sendall(b"AUTHENTICATE\r\nGETINFO stream-status\r\nQUIT\r\n")
            said = b"".join(iter(lambda: control.recv(65_536), b"")).decode()
        return re.findall(r"^(?:250-stream-status=)?\d+ SUCCEEDED (\d+) (\S+)", said, re.MULTILINE)

    def log(self, name: str) -> str:
        return (self.directory / name / "log").read_text()

    @property
    def is_ready(self) -> bool:
        return all(
            "Bootstrapped 100%" in self.log(name) for name in (*_AUTHORITIES, *_RELAYS, "hs", "client")
        )


@contextmanager
def tor_net(directory: Path) -> Iterator[TorNet]:
    """Ready when it is given out: some fifteen seconds on an idle machine."""
    ports = iter(_free_ports(15))
    places = {name: (directory / name, next(ports), next(ports)) for name in (*_AUTHORITIES, *_RELAYS)}
    net = TorNet(directory, next(ports), Proxy("127.0.0.1", next(ports)), next(ports))
    authorities = "".join(_authority(name, *places[name]) for name in _AUTHORITIES)
    with ExitStack() as stack:
        for name, (home, port, directory_port) in places.items():
            own = f"Nickname {name}\nORPort 127.0.0.1:{port}\nDirPort 127.0.0.1:{directory_port}\n"
            _start(stack, home, (_AUTHORITY if name in _AUTHORITIES else "") + _RELAY + own + authorities)
        service = f"HiddenServiceDir {directory}/hs/svc\nHiddenServicePort 4001 127.0.0.1:{net.target}\n"
        _start(stack, directory / "hs", f"SocksPort 0\n{service}{authorities}")
        client = f"SocksPort 127.0.0.1:{net.proxy.port} ExtendedErrors\nControlPort {net.control}\n"
        _start(stack, directory / "client", client + authorities)
        deadline = time.monotonic() + 80
        while not net.is_ready:
            assert time.monotonic() < deadline, net.log("client")[-2000:]
            time.sleep(0.2)
        yield net


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in held]


def _authority(name: str, home: Path, port: int, directory_port: int) -> str:
    """Its keys, and the line by which the others know it."""
    keys = home / "keys"
    keys.mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    where = f"127.0.0.1:{directory_port}"
    command = ["tor-gencert", "--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a", where]
    subprocess.run(command, cwd=keys, input=b"none\n", check=True, capture_output=True)
    identity = re.findall(r"fingerprint (\w+)", (keys / "authority_certificate").read_text())[0]
    # the fingerprint is asked of a tor that knows of authorities, of any
    nobody = f"DirAuthority x orport=1 v3ident={'A' * 40} 127.0.0.1:1 {'B' * 40}\n"
    (home / "torrc").write_text(
        f"DataDirectory {home}\nNickname {name}\nORPort {port}\nAddress 127.0.0.1\n{nobody}"
    )
    said = subprocess.run(["tor", "-f", home / "torrc", "--list-fingerprint"], capture_output=True, text=True)
    found = re.search(rf"^{name} ([0-9A-F ]+)$", said.stdout, re.MULTILINE)
    assert found, said.stdout
    return f"DirAuthority {name} orport={port} no-v2 v3ident={identity} {where} {found[1]}\n"


def _start(stack: ExitStack, home: Path, config: str) -> None:
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "torrc").write_text(f"DataDirectory {home}\n{_COMMON}{config}")
    log = stack.enter_context((home / "log").open("w"))
    process = subprocess.Popen(["tor", "-f", home / "torrc"], stdout=log, stderr=log)
    stack.callback(process.wait)
    stack.callback(process.kill)
