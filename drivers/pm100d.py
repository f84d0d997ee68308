"""Thorlabs PM100D power meter: optical power on a photodiode, in watts.

Source: PM100D operation manual (17654-D02), section 6.4 "SCPI commands"; PM100USB, PM101 and PM400
speak the same. It must never return an over-range answer as a value, and never change anything
that another meter setting depends on outside `prepare`.
"""

from collections.abc import Callable
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind
from drivers.link import Identity, Link
from drivers.port import Port, Sync
from drivers.scpi import LINE, error_entry, first_error, identity, is_identity, measured, number

SAMPLE_S: Final = 0.003  # one average
ANSWER_S: Final = 1.0  # for everything that is no measurement, and on top of one
AVERAGES_MAX: Final = 3000  # 9 s
NO_SENSOR: Final = "no sensor"
SETTABLE: Final = 32  # sensor flag: the wavelength can be set
AGREES_NM: Final = 0.6  # the meter rounds the wavelength

T = TypeVar("T")


class PM100D:
    """One meter with one sensor."""

    SAFE_S: ClassVar[float] = 3.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=115_200)

    def __init__(self, port: Port, name: str) -> None:
        """Nothing is sent."""
        self.port = port
        self.name = name
        self._answer_s = ANSWER_S
        self._sync = Sync(b"*IDN?\n", is_identity)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a meter answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Maker, model, serial number and firmware, as *IDN? says."""
        return self._ask("*IDN?", identity)

    def sense(self) -> float:
        """The power in W; moves nothing."""
        return self.power()

    def prepare(self, wavelength_nm: float, averages: int) -> None:
        """Watts, automatic range, wavelength and averaging; each is read back. Moves nothing."""
        if not 1 <= averages <= AVERAGES_MAX:
            raise self._error(
                f"{averages} averages are not 1..{AVERAGES_MAX}", "correct the bench file", "limit"
            )
        self.port.drain()
        self._tell("*CLS")
        self._check_sensor()
        low, high = self.limits()["wavelength"]
        if not low <= wavelength_nm <= high:
            raise self._error(
                f"{wavelength_nm:g} nm is outside the sensor's {low:g}..{high:g} nm",
                "correct the recipe, or change the sensor",
                "limit",
            )
        self._tell("SENS:POW:UNIT W")
        self._tell("SENS:POW:RANG:AUTO 1")
        self._tell(f"SENS:CORR:WAV {wavelength_nm:.1f}")
        self._tell(f"SENS:AVER:COUN {averages}")
        self._check_errors()
        self._confirm("SENS:CORR:WAV?", wavelength_nm, AGREES_NM)
        self._confirm("SENS:AVER:COUN?", averages, 0.5)
        self._answer_s = ANSWER_S + averages * SAMPLE_S

    def safe(self) -> None:
        """A meter does no harm; reads it back to see that it is there."""
        self.identify()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """Nothing: a meter does no harm."""
        return ()

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def limits(self) -> dict[str, tuple[float, float]]:
        """The wavelengths in nm that its sensor knows."""
        low = self._ask("SENS:CORR:WAV? MIN", number)
        return {"wavelength": (low, self._ask("SENS:CORR:WAV? MAX", number))}

    def power(self) -> float:
        """The averaged power in W. Raises InstrumentError when over range (9.9E37)."""
        return self.port.ask(
            b"MEAS:POW?\n", LINE, self._answer_s, measured, who=self.name, sync=self._sync
        )

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        data = question.encode("ascii") + b"\n"
        return self.port.ask(data, LINE, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _tell(self, words: str) -> None:
        self.port.write(words.encode("ascii") + b"\n", who=self.name)

    def _check_sensor(self) -> None:
        """A photodiode whose wavelength can be set must be plugged in."""
        fields = self._ask("SYST:SENS:IDN?", bytes).decode("ascii", "backslashreplace").split(",")
        name = fields[0].strip('" ')
        known = len(fields) == 6 and fields[5].strip().isdigit()
        if name.lower() == NO_SENSOR or not known or not int(fields[5]) & SETTABLE:
            raise self._error(
                f"sensor {name!r} cannot measure at a set wavelength", "plug in a photodiode head"
            )

    def _confirm(self, question: str, wanted: float, tolerance: float) -> None:
        kept = self._ask(question, number)
        if abs(kept - wanted) > tolerance:
            raise self._error(f"{question} says {kept:g}, {wanted:g} was set", "set it again")

    def _check_errors(self) -> None:
        error = first_error(lambda: self._ask("SYST:ERR?", error_entry))
        if error is not None:
            raise self._error(f"error {error[0]}: {error[1]}", "check the model", "refused")

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)
