"""Channels, functions and plain settings of a Keithley DAQ6510, as tables.

Source: Keithley DAQ6510 reference manual DAQ6510-901-01, chapter 12. Must never act on a setting.
"""

from collections.abc import Mapping
from typing import Any, Final

from sim.keithley import Setting
from sim.scpi import ScpiError

FRONT: Final = 0  # the "channel" of the front terminals
CHANNELS: Final = range(101, 123)
LIST_MAX: Final = 220  # channels of one list
FUNCTIONS: Final[Mapping[str, tuple[str, str, float, str]]] = {
    # short name -> node in headers, answer to FUNC?, largest range, unit
    "VOLT": ("VOLTage[:DC]", "VOLT:DC", 1000.0, "Volt DC"),
    "CURR": ("CURRent[:DC]", "CURR:DC", 3.0, "Amp DC"),
    "RES": ("RESistance", "RES", 1e8, "Ohm"),
    "FRES": ("FRESistance", "FRES", 1e8, "Ohm"),
    "TEMP": ("TEMPerature", "TEMP", 1e4, "Celsius"),
}
LONG: Final[Mapping[str, str]] = {
    "VOLTAGE": "VOLT", "CURRENT": "CURR", "RESISTANCE": "RES", "FRESISTANCE": "FRES",
    "TEMPERATURE": "TEMP",
}  # fmt: skip


def _settings() -> dict[str, tuple[str, Setting]]:
    """Return pattern -> (key, setting) for what is kept for each channel."""
    table: dict[str, tuple[str, Setting]] = {}
    for name, (node, _, high, _) in FUNCTIONS.items():
        sense = f"[SENSe1]:{node}"
        table |= {
            f"{sense}:NPLCycles": (f"{name} nplc", Setting(1.0, "number", 5e-4, 12.0)),
            f"{sense}:RANGe[:UPPer]": (f"{name} range", Setting(high, "number", 0.0, high)),
            f"{sense}:RANGe:AUTO": (f"{name} auto", Setting(1.0, "boolean")),
            f"{sense}:AZERo[:STATe]": (f"{name} zero", Setting(1.0, "boolean")),
            f"{sense}:AVERage[:STATe]": (f"{name} mean", Setting(0.0, "boolean")),
            f"{sense}:AVERage:COUNt": (f"{name} means", Setting(10.0, "whole", 1, 100)),
        }
    return table | {
        "[SENSe1]:FRESistance:OCOMpensated": ("ocom", Setting("OFF", ("OFF", "ON", "AUTO"))),
        "[SENSe1]:TEMPerature:TRANsducer": ("wires", Setting("FRTD", ("RTD", "TRTD", "FRTD"))),
        "[SENSe1]:COUNt": ("count", Setting(1.0, "whole", 1, 1_000)),
    }


SETTINGS: Final = _settings()
DEFAULTS: Final[Mapping[str, Any]] = {
    **{key: setting.default for key, setting in SETTINGS.values()},
    "function": "VOLT",
}


def channel_list(words: list[str], *, bare: bool = True) -> tuple[list[str], list[int]]:
    """Return the parameters before `(@...)` and the channels in it.

    Without a list: the front terminals, or ScpiError(-109) where `bare` is False.
    """
    text = ",".join(words)
    start = text.find("(@")
    if start < 0:
        if not bare:
            raise ScpiError(-109)
        return words, [FRONT]
    if not text.endswith(")"):
        raise ScpiError(-102)
    channels: list[int] = []
    for part in text[start + 2 : -1].split(","):
        first, colon, last = part.partition(":")
        low = _channel(first)
        high = _channel(last) if colon else low
        channels += range(low, high + 1) if low <= high else range(low, high - 1, -1)
    if len(channels) > LIST_MAX:
        raise ScpiError(-222)
    head = text[:start].rstrip(", ")
    return (head.split(",") if head else []), channels


def _channel(text: str) -> int:
    word = text.strip()
    if not (word.isascii() and word.isdecimal() and len(word) <= 3):
        raise ScpiError(-102)
    if int(word) not in CHANNELS:
        raise ScpiError(-222)
    return int(word)


def told(channels: list[int]) -> str:
    """Return a channel list as the instrument writes it."""
    return f"(@{','.join(map(str, channels))})"
