"""What is within reach: the resources that PyVISA sees, and the instruments of bench files.

Asking the machine for its ports may hang in a driver or a library, so another process does it and
is ended in time. A stranger is sent nothing: its name alone says what it may be.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lbl.bench.check import Row
from lbl.bench.file import AnyBench

LOOK_S: Final = 15.0
SEEN_MAX: Final = 1000
_LOOK: Final = (
    "import json; from drivers.bus import visible; print(json.dumps(visible()))"  # in a child
)
_USB: Final = re.compile(r"USB\d*::(0x[0-9A-F]+|\d+)::(0x[0-9A-F]+|\d+)::", re.IGNORECASE)
# USB vendor and product -> driver and role (makers' USB ids, as their manuals give them)
_KNOWN: Final = {
    (0x1313, 0x8078): ("pm100d", "photometer"),
    (0x1313, 0x80C8): ("dc2200", "light"),
    (0x05E6, 0x6510): ("daq6510", "daq"),
    (0x05E6, 0x2450): ("keithley2450", "smu"),
}
# what a line may lead to, when its name does not say
_LINES: Final = {
    "ASRL": "axis, pump, valve, qcm, thermostat, flow, balance or stirrer",
    "TCPIP": "axis, thermostat, balance, daq or smu",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A resource: whose it is ("" where no bench file names it), who answers, what it may be."""

    resource: str
    bench: str = ""
    name: str = ""
    role: str = ""
    identity: str = ""
    state: str = ""

    def as_json(self) -> dict[str, str]:
        """Plain data."""
        return {
            "resource": self.resource,
            "bench": self.bench,
            "name": self.name,
            "role": self.role,
            "identity": self.identity,
            "state": self.state,
        }


def look(argv: Sequence[str] = (sys.executable, "-c", _LOOK)) -> tuple[list[str], str]:
    """The resources that PyVISA sees, and what went wrong in words ("" for nothing)."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=LOOK_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return [], f"PyVISA did not say within {LOOK_S:g} s which ports there are"
    except OSError as error:
        return [], f"PyVISA could not be asked: {error.strerror or error}"
    try:
        found = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [], f"PyVISA could not be asked: {last[:200]}"
    return [str(resource) for resource in found][:SEEN_MAX], ""


def stranger(resource: str) -> Found:
    """A resource that no bench file names; what it may be, as far as its name says."""
    usb = _USB.match(resource)
    if usb:
        driver, role = _KNOWN.get((int(usb[1], 0), int(usb[2], 0)), ("", ""))
        state = f"may be a {driver}" if driver else "not known"
        return Found(resource, role=role, state=f"{state}; nothing was sent")
    kind = re.match(r"[A-Z]+", resource.upper())
    role = _LINES.get(kind[0], "") if kind else ""
    return Found(resource, role=role, state="nothing was sent")


def named(file: AnyBench, rows: Sequence[Row]) -> list[Found]:
    """The instruments of a bench file, as a check found them."""
    return [_named(file, row) for row in rows]


def _named(file: AnyBench, row: Row) -> Found:
    where = "simulated" if file.in_process else "served" if file.simulated else "real"
    who = " ".join(part for part in (row.maker, row.model, row.serial) if part)
    state = f"answers ({where})" if row.answers else "does not answer"
    return Found(row.resource, file.name, row.name, row.role, who, state)


def together(known: Sequence[Found], seen: Sequence[str]) -> list[Found]:
    """Instruments of bench files first, then the resources that none of them names."""
    names = {one.resource.upper() for one in known}
    return [*known, *(stranger(one) for one in seen if one.upper() not in names)]


def as_json(found: Sequence[Found], trouble: str) -> dict[str, Any]:
    """Plain data."""
    return {"resources": [one.as_json() for one in found], "trouble": trouble}
