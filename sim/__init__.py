"""Simulated instruments and the world they share; imports neither lbl nor drivers."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sim.alicat import Alicat
from sim.cavro import Cavro
from sim.daq6510 import DAQ6510
from sim.dc2200 import DC2200
from sim.huber import Huber
from sim.ika import Ika
from sim.julabo import Julabo
from sim.keithley2450 import Keithley2450
from sim.lakeshore336 import Lakeshore336
from sim.mettler import Mettler
from sim.newera import NewEra
from sim.pm100d import PM100D
from sim.port import Device, Spec
from sim.qcm200 import QCM200
from sim.sqm160 import SQM160
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
    "keithley2450": Keithley2450,
    "qcm200": QCM200,
    "daq6510": DAQ6510,
    "alicat": Alicat,
    "sqm160": SQM160,
    "lakeshore336": Lakeshore336,
    "ika": Ika,
    "huber": Huber,
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
    "keithley2450": "Keithley 2450 source measure unit",
    "qcm200": "SRS QCM200",
    "daq6510": "Keithley DAQ6510 data acquisition system",
    "alicat": "Alicat liquid flow meter",
    "sqm160": "INFICON SQM-160",
    "lakeshore336": "Lake Shore 336 temperature controller",
    "ika": "IKA hotplate stirrer",
    "huber": "Huber thermostat",
}
