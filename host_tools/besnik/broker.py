"""The MQTT broker: finds mosquitto, or unpacks it, and writes its configuration.

mosquitto waits for delayed acknowledgements (44 ms a tap) and drops what goes over its queue
unless told otherwise, so the configuration here is part of the product, not of the demo.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from besnik import debian
from besnik.contract import BRIDGE_STATE, HOST_USERS, ID_PATTERN, ROOT

BRIDGE, SITE, MONITOR, FLEET = HOST_USERS

_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/local/opt/mosquitto/sbin")
# mosquitto's own iteration count for $7$; the passwords are 192 random bits, not a person's.
_PBKDF2_ROUNDS = 101
# As good as no limit. With 0 ("none") mosquitto 2.0 hangs up on whoever publishes where it may
# not, because its handler of refused messages compares the queue with this number.
_QUEUED_MESSAGES_MAX = 1_000_000
# MQTT 3.1.1, 3.1 and 3.2: CONNECT of a stranger with a clean session, and what answers it.
_HELLO = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
_CONNACK = b"\x20"
# Far above any message of ours (1 KiB), so that the bridge counts what is a little too long.
# Whoever sends more is hung up on: larger packets would stall the bridge, whose MQTT library joins
# the pieces of a packet in quadratic time (10 MB: a second).
PACKET_BYTES_MAX: Final = 64 * 1024


class BrokerError(RuntimeError):
    """The broker cannot be had or configured; the text says what to do."""


@dataclass(frozen=True)
class Mosquitto:
    """A mosquitto that runs here: its program and what its environment needs on top."""

    program: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, configuration: Path) -> list[str]:
        """Return the command line that starts the broker in the foreground."""
        return [str(self.program), "-c", str(configuration)]


@dataclass(frozen=True)
class ReaderListener:
    """Where readers come in with certificates. ``host`` may be empty: every address.

    ``authority`` has signed those who may enter, ``revoked`` lists those who no longer may;
    ``certificate`` and ``key`` are the broker's own. All four are PEM files.
    """

    host: str
    port: int
    authority: Path
    certificate: Path
    key: Path
    revoked: Path


def find(cache: Path, say: debian.Say = print) -> Mosquitto:
    """Return the system's mosquitto, or the one unpacked in ``cache``, unpacking it if absent."""
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
    if program := shutil.which("mosquitto", path=search):
        return Mosquitto(Path(program))
    return unpacked(cache, say)


def unpacked(cache: Path, say: debian.Say = print) -> Mosquitto:
    """Return the mosquitto in ``cache/mosquitto``, unpacked from the distribution's package."""
    folder = cache.resolve() / "mosquitto"
    program = folder / "usr/sbin/mosquitto"
    if not program.exists():
        try:
            debian.unpack("mosquitto", folder, work=cache / "apt", say=say)
        except debian.UnpackError as error:
            raise BrokerError(str(error)) from error
    libraries = debian.library_path(folder)
    if absent := debian.missing_libraries(program, libraries):
        raise BrokerError(
            f"the unpacked mosquitto lacks {', '.join(absent)}: remove {folder} and run again, "
            "or install mosquitto with this system's package manager"
        )
    return Mosquitto(program, {"LD_LIBRARY_PATH": libraries})


def answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Return whether a broker speaks MQTT there, whatever it thinks of strangers.

    A port that accepts is not enough: mosquitto listens before its loop runs, and forgets a
    SIGTERM that comes in between.
    """
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(_HELLO)
            return connection.recv(1) == _CONNACK
    except OSError:
        return False


def passwords(folder: Path, users: Iterable[str]) -> dict[str, str]:
    """Return the passwords of all users of the broker in ``folder``, ``users`` among them.

    They are kept in ``folder/passwords.json``; a new user's is random. Several may ask at once.
    """
    file = folder / "passwords.json"
    wanted = list(users)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "passwords.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        new = {user: secrets.token_urlsafe(24) for user in wanted if user not in known}
        if new:
            write_private(file, json.dumps(known | new, indent=1))
    return known | new


def configure(
    folder: Path,
    *,
    port: int,
    accounts: Mapping[str, str],
    host: str = "127.0.0.1",
    readers: ReaderListener | None = None,
) -> Path:
    """Write configuration, password file and access list; return the configuration's path.

    ``host`` and ``port`` are those of the listener without TLS; an empty host is every address.
    ``accounts`` maps every user who may enter there to a password: ``HOST_USERS`` have their own
    rights, any other user is the reader of that id, who then needs no certificate. ``readers`` is
    the listener for all who have one. What the broker must keep over a restart is in ``folder``.
    """
    folder = folder.resolve()
    for user in accounts:
        if not re.fullmatch(ID_PATTERN, user):
            raise BrokerError(f"broker user {user!r} must match {ID_PATTERN}")
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    hashed = "".join(f"{user}:{_hash(password)}\n" for user, password in accounts.items())
    write_private(folder / "passwords", hashed)
    write_private(folder / "access", _access())
    configuration = folder / "mosquitto.conf"
    lines = [
        *_settings(folder, data),
        f"listener {port} {host}".rstrip(),
        *(_with_certificates(readers) if readers else ()),
    ]
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return configuration


def _settings(folder: Path, data: Path) -> list[str]:
    """Return what holds for every listener."""
    lines = [
        "allow_anonymous false",
        f"password_file {folder / 'passwords'}",
        f"acl_file {folder / 'access'}",
        "set_tcp_nodelay true",
        "max_inflight_messages 0",
        f"max_queued_messages {_QUEUED_MESSAGES_MAX}",
        f"max_packet_size {PACKET_BYTES_MAX}",
        "persistence true",
        f"persistence_location {data}/",
        "autosave_interval 30",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]
    if os.geteuid() == 0:
        # Otherwise it becomes the user `mosquitto`, who may not exist and cannot write here.
        lines.append("user root")
    return lines


def _with_certificates(readers: ReaderListener) -> list[str]:
    """Return the listener where a certificate is both the way in and the user's name."""
    return [
        f"listener {readers.port} {readers.host}".rstrip(),
        f"cafile {readers.authority}",
        f"crlfile {readers.revoked}",
        f"certfile {readers.certificate}",
        f"keyfile {readers.key}",
        "require_certificate true",
        "use_identity_as_username true",
        # Who enters by another's client id takes over that session: the bridge's with its taps.
        "use_username_as_clientid true",
    ]


def _access() -> str:
    """Return who may read and write which topics; %u is the user, that is, the reader's slug."""
    every = f"{ROOT}/+/+"
    own = f"{ROOT}/+/%u"
    host = {
        BRIDGE: {
            "read": ["tap", "visit", "state", "info", "health", "log", "cmd/result", "apdu/rsp"],
            "write": ["verdict", "visit", "config", "state", "apdu/cmd"],
        },
        SITE: {"read": ["visit", "state", "health", "info", "update/state"]},
        MONITOR: {"read": ["#"]},
        FLEET: {
            "read": ["state", "info", "health", "cmd/result", "update/get", "update/state"],
            "write": ["cmd/update", "cmd/doctor", "update/part"],
        },
    }
    reader = {
        "write": [
            *("tap", "state", "info", "health", "log", "cmd/result", "apdu/rsp"),
            *("update/get", "update/state"),
        ],
        "read": ["verdict", "config", "cmd/#", "apdu/cmd", "update/part"],
    }
    lines = []
    for user, rights in host.items():
        lines.append(f"user {user}")
        lines += [
            f"topic {way} {every}/{leaf}" for way, leaves in rights.items() for leaf in leaves
        ]
        if user == BRIDGE:
            lines.append(f"topic readwrite {BRIDGE_STATE}")
    lines += [f"pattern {way} {own}/{leaf}" for way in reader for leaf in reader[way]]
    # For everybody. mosquitto warns that a pattern names no user; it has no other line for all.
    lines.append(f"pattern read {BRIDGE_STATE}")
    return "\n".join(lines) + "\n"


def _hash(password: str) -> str:
    """Return mosquitto 2's ``$7$`` form: PBKDF2-SHA512, 64 bytes, salt and hash in base64."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS, 64)
    parts = (base64.b64encode(part).decode() for part in (salt, key))
    return f"$7${_PBKDF2_ROUNDS}${'$'.join(parts)}"


def write_private(file: Path, content: str | bytes) -> None:
    """Replace ``file`` in one step with a file that only its owner can read; text is UTF-8."""
    scratch = file.with_name(file.name + ".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
        stream.flush()
        os.fsync(stream.fileno())  # or a power cut leaves the new name on an empty file
    scratch.rename(file)
