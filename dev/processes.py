"""Start child processes that never outlive us, and stop them in order."""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Self, cast

from dev.problem import Problem

PR_SET_PDEATHSIG = 1
STOP_LADDER = ((signal.SIGTERM, 10), (signal.SIGQUIT, 4), (signal.SIGKILL, 4))
FIRST_COLOUR, COLOURS = 32, 5  # of the terminal: green to cyan
NAME_WIDTH = 7


class Stopped(BaseException):
    """A signal asked us to stop; `with` blocks unwind and clean up."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn the first INT, TERM or HUP into `Stopped`; further ones are ignored."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(signum: int, _frame: object) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(signum)

    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def die_with_parent(signum: int) -> Callable[[], None] | None:
    """Give the child hook that asks Linux for `signum` when its parent dies."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: IO[bytes] | int,
    user: int | None = None,
    death_signal: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own; call this from the main thread only.

    The own session keeps a Ctrl-C in the terminal from reaching the child directly.
    With a `user` (only root may name one) its group has the same number. Should we be
    killed, Linux sends the child `death_signal`.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        preexec_fn=die_with_parent(death_signal),  # safe: we have no threads
    )


@dataclass
class Child:
    """One process of a group, its colour and the line it has not finished yet."""

    name: str
    process: subprocess.Popen[bytes]
    colour: int
    rest: bytes = b""


class Group:
    """Processes that share this terminal: prefixed lines, stopped together.

    Everything happens in the calling thread, so a start is always a plain fork. While
    the group waits it calls `also_check`, which may raise a `Problem`.
    """

    def __init__(
        self,
        *,
        env: Mapping[str, str],
        cwd: Path,
        also_check: Callable[[], None] = lambda: None,
    ) -> None:
        self._env = env
        self._cwd = cwd
        self._also_check = also_check
        self._children: list[Child] = []
        self._started = 0
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._children:
            self._stop(self._children[-1])
        self._selector.close()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        also: Mapping[str, str] = MappingProxyType({}),
    ) -> Child:
        """Start a process; its lines appear while the group waits or stops.

        Args:
            name: before each of its lines.
            command: the program and its arguments.
            also: variables of its environment that the others have not.
        """
        env = {**self._env, **also}
        process = spawn(command, env=env, cwd=self._cwd, output=subprocess.PIPE)
        colour = FIRST_COLOUR + self._started % COLOURS
        self._started += 1
        child = Child(name, process, colour)
        self._children.append(child)
        self._selector.register(_output(child), selectors.EVENT_READ, child)
        return child

    def run(
        self,
        name: str,
        command: Sequence[str | Path],
        also: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Run one command to its end.

        Raises:
            Problem: it failed, or another process of the group stopped meanwhile.
        """
        child = self.start(name, command, also)
        while child.process.poll() is None:
            self._show_output(seconds=0.2)
            self._check(others_than=child)
        code = child.process.returncode
        self._stop(child)
        if code:
            raise Problem(
                f"{name} failed with exit code {code}; its lines above say why."
            )

    def wait(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Show output until something is true; an end before that is a `Problem`."""
        while not until():
            self._show_output(seconds=0.2)
            self._check()

    def _check(self, *, others_than: Child | None = None) -> None:
        self._also_check()
        for child in self._children:
            if child is not others_than and child.process.poll() is not None:
                self._show_all_output()
                raise Problem(
                    f"{child.name} stopped by itself (exit code "
                    f"{child.process.returncode}); its last lines are above. "
                    "Everything else was stopped too."
                )

    def _stop(self, child: Child) -> None:
        for signum, seconds in STOP_LADDER:
            if child.process.poll() is None:
                child.process.send_signal(signum)
            deadline = time.monotonic() + seconds
            while child.process.poll() is None and time.monotonic() < deadline:
                self._show_output(seconds=0.1)
        with suppress(ProcessLookupError):  # whatever it left behind in its session
            os.killpg(child.process.pid, signal.SIGKILL)
        self._show_all_output()
        self._children.remove(child)
        self._close(child)

    def _close(self, child: Child) -> None:
        output = _output(child)
        if output in self._selector.get_map():
            self._selector.unregister(output)
        output.close()

    def _show_all_output(self) -> None:
        while self._show_output(seconds=0):
            pass

    def _show_output(self, *, seconds: float) -> bool:
        ready = self._selector.select(seconds)
        for key, _ in ready:
            child: Child = key.data
            read = os.read(key.fd, 65536)
            if not read:
                self._selector.unregister(key.fileobj)
            *lines, child.rest = (child.rest + read).split(b"\n")
            for line in lines:
                _show(child, line.decode(errors="replace"))
        return bool(ready)


def _output(child: Child) -> IO[bytes]:
    return cast("IO[bytes]", child.process.stdout)  # it was started with a pipe


def _show(child: Child, line: str) -> None:
    prefix = f"{child.name:{NAME_WIDTH}} |"
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        prefix = f"\033[{child.colour}m{prefix}\033[0m"
    with suppress(OSError):  # the terminal is gone; we are about to be told to stop
        print(prefix, line, flush=True)
