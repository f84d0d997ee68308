"""How a serial line is set, and what an instrument says it is: two small frozen records.

This file must never touch a port.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Link:
    """Serial settings; a network or USB resource ignores them."""

    baud: int = 9600
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1
    flow: Literal["none", "xonxoff", "rtscts"] = "none"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an instrument answers when asked who it is; empty where it does not say."""

    maker: str
    model: str
    serial: str
    firmware: str
