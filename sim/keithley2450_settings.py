"""The plain settings of a Keithley 2450: headers, limits and power-on values, as a table.

Source: Keithley 2450 reference manual 2450-901-01, chapter 6. Must never act on a setting.
"""

from collections.abc import Mapping
from typing import Final

from sim.keithley import Setting

NPLC: Final = (0.01, 10.0)
COUNTS: Final = (1, 300_000)
VOLTS: Final = 210.0
AMPS: Final = 1.05
OHMS: Final = 210e6
NODES: Final[Mapping[str, tuple[str, float]]] = {
    # function -> its node in headers, and the largest range
    "VOLT": ("VOLTage[:DC]", VOLTS), "CURR": ("CURRent[:DC]", AMPS), "RES": ("RESistance", OHMS),
}  # fmt: skip
OFF_STATES: Final = ("NORM", "ZERO", "HIMP", "GUAR", "NORMAL", "HIMPEDANCE", "GUARD")
LIGHTS: Final = ("ON100", "ON75", "ON50", "ON25", "OFF", "BLAC", "BLACKOUT")


def _settings() -> dict[str, tuple[str, Setting]]:
    """Return pattern -> (key, setting) for everything that is a plain value."""
    table: dict[str, tuple[str, Setting]] = {}
    for name, (node, high) in NODES.items():
        sense = f"[SENSe1]:{node}"
        table |= {
            f"{sense}:NPLCycles": (f"{name} nplc", Setting(1.0, "number", *NPLC)),
            f"{sense}:RANGe[:UPPer]": (f"{name} range", Setting(high, "number", -high, high)),
            f"{sense}:RANGe:AUTO": (f"{name} auto", Setting(1.0, "boolean")),
            f"{sense}:RSENse": (f"{name} wires", Setting(0.0, "boolean")),
            f"{sense}:AZERo[:STATe]": (f"{name} zero", Setting(1.0, "boolean")),
            f"{sense}:AVERage[:STATe]": (f"{name} mean", Setting(0.0, "boolean")),
            f"{sense}:AVERage:COUNt": (f"{name} means", Setting(10.0, "whole", 1, 100)),
            f"{sense}:AVERage:TCONtrol": (
                f"{name} way",
                Setting("REP", ("REP", "MOV", "REPEAT", "MOVING")),
            ),
        }
    for name, node, high in (("VOLT", "VOLTage", VOLTS), ("CURR", "CURRent", AMPS)):
        source = f"SOURce1:{node}"
        table |= {
            f"{source}[:LEVel][:IMMediate][:AMPLitude]": (
                f"{name} level",
                Setting(0.0, "number", -high, high),
            ),
            f"{source}:RANGe": (f"{name} span", Setting(high, "number", -high, high)),
            f"{source}:RANGe:AUTO": (f"{name} spans", Setting(1.0, "boolean")),
            f"{source}:DELay": (f"{name} delay", Setting(0.0, "number", 0, 10_000)),
            f"{source}:DELay:AUTO": (f"{name} delays", Setting(1.0, "boolean")),
            f"{source}:READ:BACK": (f"{name} back", Setting(1.0, "boolean")),
            f"OUTPut1:{node}:SMODe": (f"{name} off", Setting("NORM", OFF_STATES)),
        }
    return table | {
        "SOURce1:VOLTage:ILIMit[:LEVel]": ("ilimit", Setting(105e-6, "number", 1e-9, AMPS)),
        "SOURce1:CURRent:VLIMit[:LEVel]": ("vlimit", Setting(21.0, "number", 0.02, VOLTS)),
        "[SENSe1]:COUNt": ("count", Setting(1.0, "whole", *COUNTS)),
        "DISPlay:LIGHt:STATe": ("light", Setting("ON50", LIGHTS)),
        "FORMat[:DATA]": ("format", Setting("ASC", ("ASC", "ASCII"))),
    }


SETTINGS: Final = _settings()
