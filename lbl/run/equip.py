"""What the planner needs to know of a bench file: the bridge between two wings that never meet.

Pure. Must never open an instrument.
"""

from dataclasses import replace
from typing import Final

from lbl.bench.file import BenchFile, DipFile, FlowFile, speed_of, travel_of
from lbl.bench.instruments import CavroSpec
from lbl.plan.equipment import Arm, Bath, Cell, Dosing, Equipment

# Landau-Levich film on a flat plate withdrawn at 2 mm/s from water, per coated side (mL/cm2);
# it grows with the two-thirds power of the speed (Landau and Levich 1942).
_FILM_AT_2MM_S: Final = 0.23e-3
_DEPTH_CM: Final = 10.0
ANY_DEGC: Final = (-273.15, 1000.0)  # of a bench that keeps no temperature; nothing is asked of it
_SECONDS_PER_SAMPLE: Final = 0.003  # one average of the power meter
_TALK_S: Final = 0.6  # the exchanges of one reading


def equipment(file: BenchFile, area: float) -> Equipment:
    """The bench as the planner sees it; `area` is the coated area of both sides in cm2."""
    setpoint = file.temperature.setpoint if file.temperature else None
    reading = _reading(file)
    common = Equipment(
        name=file.name,
        kind=file.kind,
        simulated=file.simulated is not None,
        arm=None,
        baths=(),
        roles=frozenset(spec.role for spec in file.instruments.values()),
        temperature=(setpoint, setpoint) if setpoint is not None else ANY_DEGC,
        zero=reading,
        measure=reading,
        lit=max(reading - _TALK_S, 0.0),
        irradiance=(file.photometry.irradiance or 0.0) if file.photometry else 0.0,
        instruments=len(file.instruments),
    )
    if isinstance(file, FlowFile):
        return replace(common, cell=_cell(file), baths=_reservoirs(file))
    film = _FILM_AT_2MM_S * (file.arm.withdraw / 2.0) ** (2.0 / 3.0) * area
    return replace(
        common,
        arm=_arm(file),
        baths=_baths(file),
        dosing=_dosing(file),
        readout=file.photometry.through if file.photometry else "",
        drag_out=film + file.arm.clamp_drop,
        stirrer=speed_of(file),
    )


def _arm(file: DipFile) -> Arm:
    arm = file.arm
    return Arm(
        up=arm.up,
        down=arm.down,
        withdraw=arm.withdraw,
        lower=arm.lower,
        turn=arm.speed,
        z_accel=travel_of(file, arm.lift)[2],
        x_accel=travel_of(file, arm.turn)[2],
        settle=arm.settle,
        surface=arm.surface,
    )


def _baths(file: DipFile) -> tuple[Bath, ...]:
    return tuple(
        Bath(
            name=name,
            purpose=vessel.purpose,
            side=vessel.side,
            at=vessel.at,
            volume=vessel.volume,
            capacity=vessel.room,
            holds=vessel.holds,
            area=vessel.volume / _DEPTH_CM,
            lidded=vessel.lidded,
        )
        for name, vessel in file.vessels.items()
    )


def _cell(file: FlowFile) -> Cell:
    cell, bladder = file.cell, file.bladder
    pump = file.instruments[cell.pump]
    return Cell(
        volume=cell.volume,
        residual=cell.residual,
        line=cell.line,
        dead=cell.dead,
        feed=cell.feed,
        rate=cell.rate,
        source=cell.source,
        inlet=cell.inlet,
        waste=cell.waste,
        room=bladder.volume - file.vessels[bladder.shares].volume,
        shares=bladder.shares,
        ports=pump.ports if isinstance(pump, CavroSpec) else 0,
    )


def _reservoirs(file: FlowFile) -> tuple[Bath, ...]:
    return tuple(
        Bath(
            name=name,
            purpose=vessel.purpose,
            at=0.0,
            volume=vessel.volume,
            capacity=vessel.room,
            holds=vessel.holds,
            position=vessel.position,
            returned=vessel.returned,
        )
        for name, vessel in file.vessels.items()
    )


def _reading(file: BenchFile) -> float:
    """How long one look of the photometer takes; its card knows better than the arithmetic (s)."""
    optics = file.photometry
    if optics is None:
        return 0.0
    card = file.instruments[optics.photometer].card
    known = card.latency.get("power") if card is not None else None
    computed = optics.averages * _SECONDS_PER_SAMPLE
    return optics.settle + max(computed, known.p99 if known is not None else 0.0) + _TALK_S


def _dosing(file: DipFile) -> Dosing | None:
    section = file.dosing
    if section is None:
        return None
    return Dosing(section.into, section.rate, section.stock, section.top_up)
