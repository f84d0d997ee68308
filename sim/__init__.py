"""Simulated instruments and the world they share; imports neither lbl nor drivers."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sim.cavro import Cavro
from sim.dc2200 import DC2200
from sim.julabo import Julabo
from sim.mettler import Mettler
from sim.newera import NewEra
from sim.pm100d import PM100D
from sim.port import Device, Spec
from sim.vici import Vici
from sim.zaber import Zaber

OWNER: Final = "lbl"

MODELS: Final[Mapping[str, Callable[[Spec, Any], Device]]] = {
    # name in a bench file -> model(spec, link); the link is the world's socket or None
    "zaber": Zaber,
    "newera": NewEra,
    "pm100d": PM100D,
    "dc2200": DC2200,
    "julabo": Julabo,
    "mettler": Mettler,
    "cavro": Cavro,
    "vici": Vici,
}
TITLES: Final[Mapping[str, str]] = {
    # maker and type of each model, as people know it
    "zaber": "Zaber X-series linear stage",
    "newera": "New Era NE-1000",
    "pm100d": "Thorlabs PM100D",
    "dc2200": "Thorlabs DC2200",
    "julabo": "JULABO circulator",
    "mettler": "Mettler Toledo MT-SICS",
    "cavro": "Tecan Cavro XCalibur",
    "vici": "VICI Valco selector valve",
}
