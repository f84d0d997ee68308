"""Judges a film by the world's ledger: order, count, dwells, rinses, air, and the journal's word.

The ledger is believed, never the journal; but what the journal says openly (a dwell too long, a
stay in air too long) is no violation. Pure. Must never forgive a deposition that is lost, doubled
or out of order, whatever was recorded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lbl.campaign.film import Evidence
from lbl.plan.schedule import Step

EDGE_S: Final = 5.0  # of any stay: the ledger counts from the surface, the plan from commands
AGAIN_S: Final = 30.0  # that each new process or hold may add to a dwell: homing, arming, a way
AGAIN_SHARE: Final = 0.5  # of a dwell, and no more in all: a second whole dwell is never forgiven
SHORT: Final = 0.9  # of the rinses' least time: below it they were too short
SAYING_S: Final = 120.0  # after what nobody saw: the next process first homes and looks
AIR_S: Final = 1.0  # between what the ledger and the journal call a stay in air
REDONE: Final = "is done once more"
Row = Mapping[str, Any]


@dataclass(slots=True)
class Stay:
    """Every stay of one deposition (or primer), and the rinses after the last of them."""

    solution: str
    rows: list[Row] = field(default_factory=list)
    rinses: list[Row] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long the film was in this solution."""
        return _seconds(self.rows)


def judge(film: Evidence) -> list[str]:
    """What is wrong with a film, in sentences; nothing if it is whole."""
    if film.bug:
        return [f"our own bug: {film.bug}"]
    if film.damage:
        return [f"the journal is not whole: {film.damage}"]
    told = [*_ended(film), *_collisions(film)]
    stays = [*_stays(film)]
    exposures = [step for step in film.plan.steps if step.kind == "expose"]
    planned = [*_merged(exposures)]
    names = [stay.solution for stay in stays]
    if names != [step.solution for step in planned][: len(names)]:
        return [*told, f"exposed out of order: {' '.join(names)}"]
    told += _counted(film, planned, len(stays))
    told += _recorded(film, planned, stays)
    for number, stay in enumerate(stays):
        open_end = number == len(stays) - 1
        told += _dwelled(film, planned[number], stay, open_end)
        told += _strayed(film, planned, number, stay)
        if not open_end or film.ended == "Complete":
            told += _rinsed(film, planned, number, stay)
    return [*told, *_aired(film)]


def _ended(film: Evidence) -> Iterator[str]:
    """A film that is struck no more comes to its end."""
    if film.ended not in ("Complete", "Stopped"):
        yield f"it came to no end: {film.ended}, {film.endings[-1]}"
    if film.ended == "Complete" and film.standing is None:
        yield "the run is Complete and the film is in air"


def _collisions(film: Evidence) -> Iterator[str]:
    for row in film.rows:
        if row["kind"] == "collision":
            yield f"something collided: {dict(row)}"


def _merged(exposures: Sequence[Step]) -> Iterator[Step]:
    """What the ledger can tell apart: two exposures to one solution in a row look like one."""
    last = ""
    for step in exposures:
        if step.solution != last:
            yield step
        last = step.solution


def _stays(film: Evidence) -> Iterator[Stay]:
    """The ledger's exposures: a second stay in the same solution belongs to the first."""
    solutions = {step.solution for step in film.plan.steps if step.kind == "expose"}
    rows = [row for row in film.rows if row["kind"] == "exposure"]
    if film.standing is not None:
        rows.append({**film.standing, "end_s": film.end_ns / 1e9})
    stay: Stay | None = None
    for row in rows:
        if row["solution"] not in solutions:
            if stay is not None:
                stay.rinses.append(row)
        elif stay is not None and stay.solution == row["solution"]:
            stay.rows.append(row)
            stay.rinses = []
        else:
            if stay is not None:
                yield stay
            stay = Stay(row["solution"], [row])
    if stay is not None:
        yield stay


def _counted(film: Evidence, planned: Sequence[Step], seen: int) -> Iterator[str]:
    """The journal's count is the world's, but for the deposition under way."""
    exposed = max((step.deposition for step in planned[:seen]), default=0)
    done = int(film.state.get("depositions", 0)) if film.state else 0
    if done > exposed:
        yield f"the journal counts {done} depositions, the world has seen {exposed}"
    if exposed > done + 1:
        yield f"the world has seen {exposed} depositions, the journal counts {done}"
    if film.ended == "Complete" and done != film.plan.depositions:
        yield f"the run is Complete with {done} of {film.plan.depositions} depositions"
    if film.ended == "Complete" and seen != len(planned):
        yield f"the run is Complete and {len(planned) - seen} exposures never happened"


def _recorded(film: Evidence, planned: Sequence[Step], stays: Sequence[Stay]) -> Iterator[str]:
    """Depositions are counted once, in order, after the last rinse, and never exposed again."""
    done = [event for event in film.events if event.kind == "deposition-done"]
    numbers = [event.payload["deposition"] for event in done]
    if numbers != [*range(1, len(numbers) + 1)]:
        yield f"the journal counts {numbers}"
        return
    stood = {step.deposition: stay for step, stay in zip(planned, stays, strict=False)}
    last = {step.completes: step for step in film.plan.steps if step.completes}
    for number, event in zip(numbers, done, strict=True):
        at_s = event.mono_ns / 1e9
        stay = stood.get(number)
        if stay is None:
            continue  # _counted tells
        if any(row["start_s"] > at_s for row in stay.rows):
            yield f"deposition {number} was done at {at_s:.0f} s and was exposed again"
        rinse = last[number]
        if not any(r["vessel"] == rinse.vessel and r["start_s"] < at_s for r in stay.rinses):
            yield f"deposition {number} was counted at {at_s:.0f} s, before its last rinse"


def _dwelled(film: Evidence, step: Step, stay: Stay, open_end: bool) -> Iterator[str]:
    """Each dwell is within its window, and no longer than planned while a process was alive."""
    over = not open_end or film.ended == "Complete"
    start, end = stay.rows[0]["start_s"], stay.rows[-1]["end_s"]
    short = over and stay.seconds < step.earliest_ns / 1e9 - EDGE_S
    if short and not _said(film, "dwell-short", start, end):
        yield f"{step.solution} {step.deposition}: {stay.seconds:.0f} s, and nobody said so"
    watched = stay.seconds - sum(_unwatched(film, row) for row in stay.rows)
    if stay.seconds <= step.latest_ns / 1e9:  # lawful, if a bench that is not ready is to blame
        watched -= sum(max(0.0, one - AGAIN_S) for one in _taken_up(film, start, end))
    again = len(stay.rows) + sum(1 for a, b in film.gone if b > start and a < end)
    due = step.dwell_ns / 1e9
    allowed = due + EDGE_S + min(AGAIN_S * again, AGAIN_SHARE * due)
    openly = (
        _said(film, "dwell-long", start, end)
        or _said(film, "bubble", start, end)  # while it is there, the dwell's clock stands
        or _redone(film, start, end)
    )
    if watched > allowed and not openly:
        yield (
            f"{step.solution} {step.deposition}: {watched:.0f} s under control where "
            f"{due:.0f} s were due"
        )


def _rinsed(film: Evidence, planned: Sequence[Step], number: int, stay: Stay) -> Iterator[str]:
    """Between two solutions every rinse of the plan, in its order, each vessel for its time."""
    wanted = [*_rinses(film, planned, number)]
    rows = iter(stay.rinses)
    for step in wanted:
        if not any(row["vessel"] == step.vessel for row in rows):
            which = f"rinse {step.exchange[0]} of {step.exchange[1]}"
            yield f"{which} after {stay.solution} {planned[number].deposition} is missing"
            return
    for vessel in dict.fromkeys(step.vessel for step in wanted):
        least = sum(step.earliest_ns for step in wanted if step.vessel == vessel) / 1e9 * SHORT
        there = [row for row in stay.rinses if row["vessel"] == vessel]
        seconds = _seconds(there)
        if seconds < least and not _said(
            film, "dwell-short", there[0]["start_s"], there[-1]["end_s"]
        ):
            yield f"{seconds:.0f} s of rinse in {vessel} after {stay.solution}, and nobody said so"


def _rinses(film: Evidence, planned: Sequence[Step], number: int) -> Iterator[Step]:
    """The rinses of the plan from one exposure to the next."""
    steps, first = film.plan.steps, planned[number].index
    after = planned[number + 1].index if number + 1 < len(planned) else len(steps)
    return (step for step in steps[first:after] if step.kind == "rinse")


def _strayed(film: Evidence, planned: Sequence[Step], number: int, stay: Stay) -> Iterator[str]:
    """After an exposure the film is rinsed in the vessels of that side, and in no other."""
    solution = planned[number].solution
    own = {
        rinse.vessel
        for other, step in enumerate(planned)
        if step.solution == solution
        for rinse in _rinses(film, planned, other)
    }
    strange = {row["vessel"] for row in stay.rinses} - own
    if strange:
        yield f"{solution} {planned[number].deposition} was carried into {', '.join(strange)}"


def _aired(film: Evidence) -> Iterator[str]:
    """A stay in air beyond the limit stands in the journal."""
    soft = film.plan.limits.air_soft
    for row in film.rows:
        if row["kind"] != "air" or row["end_s"] - row["start_s"] <= soft + AIR_S:
            continue
        if not _said(film, "air-", row["start_s"], row["end_s"]):
            seconds = row["end_s"] - row["start_s"]
            yield f"{seconds:.0f} s in air at {row['start_s']:.0f} s, and nobody said so"


def _seconds(rows: Sequence[Row]) -> float:
    return float(sum(row["end_s"] - row["start_s"] for row in rows))


def _unwatched(film: Evidence, row: Row) -> float:
    """How long of a stay no process was alive, in s."""
    start, end = float(row["start_s"]), float(row["end_s"])
    spans = [min(end, until) - max(start, since) for since, until in film.gone]
    return sum((span for span in spans if span > 0.0), 0.0)


def _taken_up(film: Evidence, start: float, end: float) -> Iterator[float]:
    """How long each process between these instants took until the film went on, in s."""
    began: float | None = None
    for event in film.events:
        at = event.mono_ns / 1e9
        if event.kind == "run-opened":
            began = at
        elif event.kind == "state" and event.payload["to"] == "Execute" and began is not None:
            if start <= at and began <= end:
                yield at - max(began, start)
            began = None


def _said(film: Evidence, code: str, start: float, end: float) -> bool:
    """Whether the journal has a deviation or verdict of this code for what happened then."""
    late = end + AGAIN_S
    for since, until in film.gone:  # what nobody saw is said by the next process
        if since <= late:
            late = max(late, until + SAYING_S)
    return any(
        event.kind in ("deviation", "verdict")
        and event.payload["code"].startswith(code)
        and start <= event.mono_ns / 1e9 <= late
        for event in film.events
    )


def _redone(film: Evidence, start: float, end: float) -> bool:
    """Whether a rule of resuming had the exposure done anew, openly, in the middle of it."""
    return any(
        event.kind == "note"
        and REDONE in event.payload.get("text", "")
        and start <= event.mono_ns / 1e9 <= end
        for event in film.events
    )
