"""Time, and nothing else: the only importer of the compiled core and the only reader of clocks.

A run has one clock object. It is the compiled core itself (wait, fire, hold, park) plus what the
journal stamps: UTC, boot id. In virtual time the calendar starts at a fixed date, so that one seed
always gives the same bytes. This file must never decide how long to wait.
"""

import datetime
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lbl.errors import LblError, Problem

try:
    from lbl._core import REASONS as REASONS
    from lbl._core import Core as Core
    from lbl._core import Guardian as Guardian
    from lbl._core import control as control
except ImportError as error:  # the one trap of a source tree: it must be built in place
    raise LblError(
        Problem("core-missing", f"lbl._core is not built ({error})", remedy="run: make demo")
    ) from error

VIRTUAL_BOOT: Final = "virtual"
SCALED_BOOT: Final = "scaled"  # its times go on from one process to the next, like virtual ones
VIRTUAL_EPOCH: Final = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SOURCE: Final = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
LISTEN_NS: Final = 250_000_000  # real; a signal is answered at once, this is for lost ones
NEVER_NS: Final = 1 << 61
IDLE_MAX_S: Final = 30 * 86_400.0


class RunClock:
    """One run's clock: `core` for pacing, `now_ns` and `utc` for stamps.

    `speed` 0 is virtual time as fast as the machine can; n is virtual time slowed to n simulated
    seconds a real second; None is real time. `rate` other than 1 is for a bench of models that is
    served so many times faster than real time: a real clock that runs as fast, from `start_ns`.
    """

    def __init__(self, speed: float | None, start_ns: int = 0, rate: float = 1.0) -> None:
        self.speed = speed
        self.rate = rate
        self.calendar = VIRTUAL_EPOCH  # what virtual time is added to
        self.virtual = speed is not None
        if speed is not None:
            self.core, self.boot = Core(virtual=True, start_ns=start_ns, speed=speed), VIRTUAL_BOOT
        elif rate != 1.0:
            self.core, self.boot = Core(virtual=False, start_ns=start_ns, speed=rate), SCALED_BOOT
        else:
            self.core, self.boot = Core(virtual=False), boot_id()
        self.realtime: Mapping[str, Any] = self.core.realtime()

    @property
    def attended(self) -> bool:
        """Whether somebody may answer while the run is held; as fast as it can go, nobody is."""
        return self.speed != 0.0

    def ask(self, *, fifo: int, lock_memory: bool, cpu: int) -> None:
        """Ask the system for SCHED_FIFO, locked memory, one CPU; `realtime` is what it granted."""
        self.realtime = self.core.realtime(fifo=fifo, lock_memory=lock_memory, cpu=cpu)

    def described(self) -> dict[str, Any]:
        """Which clock the run is timed with."""
        return {"clock": "virtual"} if self.virtual else host_clock()

    @property
    def listen_ns(self) -> int:
        """How long a wait may last before the inbox is looked at, in the run's own time."""
        if self.speed is None:
            return int(LISTEN_NS * self.rate)
        return int(LISTEN_NS * self.speed) or NEVER_NS

    def now_ns(self) -> int:
        """Monotonic nanoseconds of the run's own time."""
        return self.core.now_ns()

    def utc(self) -> str:
        """Calendar time in UTC, millisecond steps; a labelled estimate, never used to control."""
        if not self.virtual:
            return stamp_now()
        return _text(self._virtual_now())

    def utc_after(self, seconds: float) -> str:
        """Calendar time `seconds` from now, for people."""
        start = self._virtual_now() if self.virtual else datetime.datetime.now(datetime.UTC)
        return _text(start + datetime.timedelta(seconds=seconds / self.rate))

    def _virtual_now(self) -> datetime.datetime:
        return self.calendar + datetime.timedelta(microseconds=self.core.now_ns() // 1000)


def boot_id() -> str:
    """Identity of this boot of the machine; monotonic times compare only within one."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def host_clock() -> dict[str, Any]:
    """What CLOCK_MONOTONIC is made of here, and its resolution in ns."""
    try:
        source = _SOURCE.read_text(encoding="ascii").strip()
    except OSError:
        source = "unknown"
    resolution_ns = round(time.clock_getres(time.CLOCK_MONOTONIC) * 1e9)
    return {"clock": "CLOCK_MONOTONIC", "source": source, "resolution_ns": resolution_ns}


def stamp_now() -> str:
    """The real calendar time in UTC."""
    return _text(datetime.datetime.now(datetime.UTC))


def wall_s() -> float:
    """Seconds since this process started, as the kernel counts them (imports included)."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        ticks = int(fields[19])
    except (OSError, IndexError, ValueError):
        return time.process_time()
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / _ticks_per_second())


def calendar_s() -> float:
    """Seconds of the calendar (Unix time): whatever somebody has set, or nobody yet."""
    return time.time()


def steady_s() -> float:
    """Seconds since boot that nobody sets; a computer that sleeps counts on."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def idle_s(path: Path) -> float:
    """Calendar seconds since a file was last written; an estimate of how long nobody worked.

    For worlds that are simulated, and for people. A calendar that was set meanwhile makes it no
    longer than IDLE_MAX_S.
    """
    try:
        return min(IDLE_MAX_S, max(0.0, time.time() - path.stat().st_mtime))
    except OSError:
        return 0.0


def patience_s() -> float:
    """Real seconds of a clock that only paces people: redraws and polls of a terminal."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Sleep in real time, for terminals that follow a run in another process."""
    time.sleep(seconds)


def _ticks_per_second() -> int:
    return os.sysconf("SC_CLK_TCK")


def _text(moment: datetime.datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
