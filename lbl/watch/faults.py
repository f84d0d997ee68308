"""Faults that a run without anybody near it must live through: how each is seen and answered.

Data for the manual and the tests; every line is proved by tests that carry its name. The lines are
those that flight software and process control plan for. This file must never act.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Line:
    """One fault: what it is, how it is detected, what is done, and what bounds that.

    `codes` are the rungs of the ladder that it stands on, if the watch answers it.
    """

    fault: str
    detection: str
    response: str
    bound: str
    codes: tuple[str, ...] = ()


FAULTS: Final[Mapping[str, Line]] = MappingProxyType(
    {
        "A1": Line(
            "The process or the computer ends in mid-film, and comes back",
            "journal without an end; another boot id; the position that the axes or the cell tell",
            "outputs off, then look, then one decision with its reason: go on, redo, rinse and "
            "redo, or hold for a person",
            "outputs before anything else; nothing moves before the decision is journaled",
            ("on-resume",),
        ),
        "A2": Line(
            "A supply that comes and goes",
            "boots in a short time, counted in a durable file",
            "nothing is actuated until the supply has been steady, longer each time",
            "the longest back-off of the configuration",
            ("power-low",),
        ),
        "A3": Line(
            "A calendar that is unset, wrong, or set in mid-run",
            "dates before the least sane one; calendar against monotonic clock",
            "dwells use the monotonic clock alone; the step is noted with the clock's quality",
            "no decision reads the calendar within a boot; across boots an unknown time in a "
            "bath is decided by the phase's rule",
            ("clock-step",),
        ),
        "A4": Line(
            "Bits that change on the disk, files cut, swapped or stale",
            "hash chain, two heads, checkpoints, hashes of the frozen files",
            "a torn end is cut and noted; anything else is named and refused",
            "found before anything is exposed",
        ),
        "A5": Line(
            "Bits that change in memory",
            "each step must follow the stay under way; the journal's fold refuses a deposition "
            "out of order",
            "the bench is parked, the process ends, the journal takes the film up",
            "before the next transfer",
        ),
        "A6": Line(
            "An axis, a plunger or a valve that sticks",
            "position, plunger and port are read back after each act",
            "a selector is told again; then hold, or abort where the film would be in air",
            "the overtime of one leg",
            ("position-wrong", "position-unknown"),
        ),
        "A7": Line(
            "An empty bottle, a leak, a blocked line, a bubble",
            "flow, pressure, gas sensor, balance, counters",
            "a bubble is driven out while the dwell's clock stands; otherwise hold or abort",
            "three tries",
            ("bubble", "flow", "pressure", "dose-mismatch"),
        ),
        "A8": Line(
            "A sensor that is silent, frozen or wrong",
            "age of the last value; bands; readings that cannot be",
            "hold; a film grows on without its photometer, noted",
            "the sensor's stale time; three readings",
            ("sensor-stale", "reading-suspect", "band"),
        ),
        "A9": Line(
            "No network, no terminal, nobody answers",
            "none needed",
            "the run goes on; the beacon is sent into the void and never waited for",
            "no network call blocks",
        ),
        "A10": Line(
            "An instrument that hangs, or answers garbage",
            "a deadline for each exchange; framing, checksums, echoes",
            "asked once more, resynchronised, then hold; its port is opened anew on unhold",
            "time-out times tries, stated by each driver",
            ("instrument-silent", "instrument-refused"),
        ),
        "A11": Line(
            "A full disk, or one that fails",
            "the error of the write; free room is watched",
            "the bench is parked and the process ends: nothing runs without its journal",
            "the record that could not be written is the last act",
            ("disk-low", "journal-lost"),
        ),
        "A12": Line(
            "A sync that fails",
            "the error of fdatasync",
            "fatal; never tried again, for the pages may be marked clean",
            "one error",
            ("journal-lost",),
        ),
        "A13": Line(
            "Heat that runs away, or is lost",
            "temperature outside the recipe's limits, or where it harms",
            "hold; abort with heat off where it harms",
            "three samples outside",
            ("temperature-band", "temperature-damage"),
        ),
        "A14": Line(
            "A program that fails at the same place again and again",
            "restarts counted in a durable file",
            "after the budget only what is safe: outputs off, beacon, commands",
            "the restart budget of the configuration",
        ),
        "A15": Line(
            "A recipe or bench file that is damaged, wrong or not approved",
            "validation, planning, content hash, signature",
            "refused before anything moves",
            "no side effect",
        ),
        "A16": Line(
            "No memory, or no file handles left",
            "the error itself; handles do not grow with films",
            "the bench is parked, the process ends, the journal takes the film up",
            "the act under way",
        ),
        "A17": Line(
            "A command that comes too late, a program that stalls",
            "each command has its window; the lease of the core; the guardian",
            "not sent after its window: hold; past the lease the core parks by itself",
            "5 s in air, 60 s wet",
            ("late",),
        ),
        "A18": Line(
            "The park itself fails",
            "positions are read after it",
            "outputs off all the same; where the film is is said, in air too",
            "20 s",
        ),
    }
)
