"""Drivers: one plain class an instrument, bytes in and out of a port, nothing of a run.

`DRIVERS` is the whole register, written out. Importing this package loads no PyVISA; the bus does.
It must never import `lbl` or `sim`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from drivers.dc2200 import DC2200
from drivers.julabo import Julabo
from drivers.mettler import Mettler
from drivers.newera import NewEra
from drivers.pm100d import PM100D
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
    }
)

__all__ = ["DRIVERS", "OWNER"]
