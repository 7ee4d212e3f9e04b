"""One mpv as a child process, spoken to in JSON lines over a socket pair.

The pair is inherited, not named: nobody else can connect, there is no file to clean up and no race for a
socket to appear; and mpv quits by itself when our end closes, so a station that is killed does not leave a
loudspeaker talking. Content is handed over as an anonymous file in memory (`/proc/<pid>/fd/<n>`): exactly
the bytes whose hash was just verified, with nothing on disk to swap in between.

Bound: this file moves commands and events; what they mean for a slot is decided in `mpv.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Sequence
from typing import Any, Final, Protocol

from ledger.log import PlayerError

FIXED_ARGUMENTS: Final = (
    "--no-config",
    "--no-video",
    "--no-terminal",
    "--really-quiet",
    "--idle=yes",
    "--load-scripts=no",
    "--ytdl=no",
    "--keep-open=no",
    # A stream that says nothing for so long is broken off; the watchdog looks sooner.
    "--network-timeout=10",
    # A missing device must be an error, never a silent success.
    "--audio-fallback-to-null=no",
    # One form of output for everything: between chime and content the device is not closed and opened again.
    "--audio-samplerate=48000",
    "--audio-channels=stereo",
    # Levels of what is really decoded, over about half a second: the evidence that there was a signal.
    "--af=@m:lavfi=[astats=metadata=1:reset=20:measure_perchannel=none]",
)
# One line of mpv's is a few hundred bytes, with all levels about 2 kB; more without a newline is not mpv.
LINE_BYTES_MAX: Final = 1 << 20
READ_BYTES: Final = 1 << 16
KILL_WAIT_S: Final = 2.0


class Conversation(Protocol):
    """What the player needs of an mpv: commands in, events out, both without blocking."""

    @property
    def pid(self) -> int: ...

    @property
    def alive(self) -> bool: ...

    def command(self, *words: Any) -> int:
        """Sends one command; returns its number. Raises PlayerError."""

    def events(self) -> list[dict[str, Any]]:
        """What was said since the last call. Raises PlayerError when nobody is there any more."""

    def close(self) -> None: ...


class MpvProcess:
    """A running mpv. Raises PlayerError when it cannot be started or does not take a command."""

    def __init__(self, program: str, ao: str, extra: Sequence[str] = ()) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._child = subprocess.Popen(
                [
                    program,
                    *FIXED_ARGUMENTS,
                    f"--ao={ao}",
                    *extra,
                    f"--input-ipc-client=fd://{theirs.fileno()}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        except OSError as error:
            ours.close()
            raise PlayerError("mpv-start", f"mpv did not start: {error}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        self._socket = ours
        self._buffer = b""
        self._request = 0

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def command(self, *words: Any) -> int:
        """Sends one command; returns the number under which its answer will come."""
        self._request += 1
        line = json.dumps({"command": list(words), "request_id": self._request}).encode() + b"\n"
        try:
            # Commands are short and few; when mpv has not drained megabytes of them, it hangs.
            sent = self._socket.send(line)
        except OSError as error:
            raise PlayerError("mpv-gone", f"mpv does not take commands: {error}") from error
        if sent != len(line):
            raise PlayerError("mpv-stuck", "mpv does not read its commands")
        return self._request

    def events(self) -> list[dict[str, Any]]:
        """Everything mpv said since the last call, in order. Raises PlayerError when it has gone."""
        gone = False
        while True:
            try:
                data = self._socket.recv(READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                gone = True
                break
            self._buffer += data
            if len(self._buffer) > LINE_BYTES_MAX and b"\n" not in self._buffer:
                raise PlayerError("mpv-speech", "mpv sends something that is not its protocol")
        *lines, self._buffer = self._buffer.split(b"\n")
        said = [event for event in map(_event, lines) if event is not None]
        if gone and not said:
            raise PlayerError("mpv-gone", "mpv closed the conversation")
        return said

    def close(self) -> None:
        """Ends this child: politely by closing the socket, then for certain."""
        self._socket.close()
        self._child.terminate()
        try:
            self._child.wait(KILL_WAIT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


class MemoryFile:
    """Bytes as an anonymous file that a child process can open by its path."""

    def __init__(self, data: bytes = b"") -> None:
        self._handle = os.memfd_create("loa")
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]

    @property
    def handle(self) -> int:
        return self._handle

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self._handle}"

    def read(self) -> bytes:
        """The whole content, wherever the position stands."""
        size = os.fstat(self._handle).st_size
        return os.pread(self._handle, size, 0)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._handle)
