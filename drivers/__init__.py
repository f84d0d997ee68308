"""Drivers: one plain class an instrument, bytes in and out of a port, nothing of a run.

`DRIVERS` is the whole register, written out. Importing this package loads no PyVISA; the bus does.
It must never import `lbl` or `sim`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from drivers.alicat import Alicat
from drivers.cavro import Cavro
from drivers.daq6510 import DAQ6510
from drivers.dc2200 import DC2200
from drivers.huber import Huber
from drivers.ika import Ika
from drivers.julabo import Julabo
from drivers.keithley2450 import Keithley2450
from drivers.lakeshore336 import LakeShore336
from drivers.mettler import Mettler
from drivers.newera import NewEra
from drivers.pm100d import PM100D
from drivers.qcm200 import QCM200
from drivers.sqm160 import SQM160
from drivers.vici import Vici
from drivers.zaber import Zaber

OWNER: Final = "lbl"  # whoever opens a bench compares it: another package may own the name

DRIVERS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "zaber": Zaber,
        "newera": NewEra,
        "pm100d": PM100D,
        "dc2200": DC2200,
        "julabo": Julabo,
        "mettler": Mettler,
        "cavro": Cavro,
        "vici": Vici,
        "qcm200": QCM200,
        "sqm160": SQM160,
        "lakeshore336": LakeShore336,
        "alicat": Alicat,
        "daq6510": DAQ6510,
        "keithley2450": Keithley2450,
        "ika": Ika,
        "huber": Huber,
    }
)

__all__ = ["DRIVERS", "OWNER"]
