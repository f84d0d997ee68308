"""One open VISA session to a simulated port: its attributes, and where a read ends.

Part of the PyVISA back end. Must never wait: the library does.
"""

from typing import Any, Final

from pyvisa import attributes, constants, rname
from pyvisa.constants import InterfaceType, ResourceAttribute, SerialTermination, StatusCode

from sim.port import Port

NO_STOP: Final = -1
MS: Final = 1_000_000  # ns
INFINITE_NS: Final = 86_400 * 1_000_000_000  # an infinite time-out ends after a simulated day
LOCAL: Final = frozenset(  # attributes that change where a read ends or when it gives up
    {
        ResourceAttribute.termchar,
        ResourceAttribute.termchar_enabled,
        ResourceAttribute.timeout_value,
        ResourceAttribute.asrl_end_in,
        ResourceAttribute.suppress_end_enabled,
    }
)


class Wire:
    """A port as VISA sees it: shared by its sessions, with one receive buffer and one lock."""

    __slots__ = ("port", "name", "rest", "owner", "depth")

    def __init__(self, port: Port, name: str) -> None:
        self.port = port
        self.name = name  # canonical
        self.rest = b""  # arrived, taken from the port, not yet read
        self.owner = 0  # session that holds the exclusive lock, 0 = none
        self.depth = 0


class Session:
    """A session: `take` gives the next part of what has arrived, by VISA's rules.

    A serial line ends a read at the termination character (`asrl_end_in`); a USB or GPIB
    message ends with the answer itself; a socket hands out what there is.
    """

    __slots__ = (
        "handle", "wire", "timeout_ns", "_name", "_kind", "_values", "_stop", "_message", "_loose",
    )  # fmt: skip

    def __init__(self, handle: int, wire: Wire, rm_session: int) -> None:
        self.handle = handle
        self.wire = wire
        self._name = rname.ResourceName.from_string(wire.name)
        self._kind = (self._name.interface_type_const, self._name.resource_class)
        self._values: dict[int, Any] = {
            ResourceAttribute.resource_manager_session: rm_session,
            ResourceAttribute.resource_name: wire.name,
            ResourceAttribute.resource_class: self._name.resource_class,
            ResourceAttribute.interface_type: self._name.interface_type_const,
            ResourceAttribute.resource_manufacturer_name: "lbl (simulated)",
            ResourceAttribute.asrl_end_in: SerialTermination.termination_char,
        }
        self._refresh()

    def take(self, count: int, now_ns: int) -> tuple[bytes, StatusCode] | None:
        """Return bytes and status once a read of `count` bytes can end, None until then."""
        wire = self.wire
        if self._message:
            rest = wire.rest or wire.port.take(now_ns)
            return self._cut(rest, count, len(rest)) if rest else None
        rest = wire.rest
        stop = self._stop
        while True:
            place = rest.find(stop) if stop >= 0 else NO_STOP
            if place >= 0 or len(rest) >= count:
                return self._cut(rest, count, len(rest))
            more = wire.port.take(now_ns)
            if not more:
                break
            rest = rest + more if rest else more
        wire.rest = rest
        if rest and self._loose:
            return self._cut(rest, count, len(rest))
        return None

    def _cut(self, rest: bytes, count: int, end: int) -> tuple[bytes, StatusCode]:
        """Take the first part of `rest`: up to the stop character, `count`, or `end`."""
        place = rest.find(self._stop, 0, count) if self._stop >= 0 else NO_STOP
        if place >= 0:
            end, status = place + 1, StatusCode.success_termination_character_read
        elif end > count or (end == count and not self._message):
            end, status = count, StatusCode.success_max_count_read
        else:
            status = StatusCode.success
        self.wire.rest = rest[end:]
        return rest[:end], status

    def get(self, attribute: int, now_ns: int) -> tuple[Any, StatusCode]:
        """Return an attribute's value; unknown ones have an error status."""
        if attribute == ResourceAttribute.asrl_avalaible_number:
            waiting = len(self.wire.rest) + self.wire.port.waiting(now_ns)
            return waiting, StatusCode.success
        if attribute == ResourceAttribute.resource_lock_state:
            locked = self.wire.owner != 0
            access = constants.AccessModes.exclusive_lock if locked else 0
            return access, StatusCode.success
        if attribute in self._values:
            return self._values[attribute], StatusCode.success
        known = attributes.AttributesByID.get(attribute)
        if known is None or not self._has(known) or not known.read:
            return None, StatusCode.error_nonsupported_attribute
        if known.default is attributes.NotAvailable or known.default == "N/A":
            return None, StatusCode.error_nonsupported_attribute
        return known.default, StatusCode.success

    def set(self, attribute: int, state: Any) -> StatusCode:
        """Set an attribute; line settings are kept and have no effect."""
        known = attributes.AttributesByID.get(attribute)
        if known is None or not self._has(known):
            return StatusCode.error_nonsupported_attribute
        if not known.write:
            return StatusCode.error_attribute_read_only
        self._values[attribute] = state
        if attribute in LOCAL:
            self._refresh()
        return StatusCode.success

    def _has(self, known: type[attributes.Attribute[Any]]) -> bool:
        resources = known.resources
        return not isinstance(resources, list) or self._kind in resources

    def _refresh(self) -> None:
        """Work out anew where reads end and when they give up."""
        values = self._values
        serial = self._kind[0] == InterfaceType.asrl
        by_char = bool(values.get(ResourceAttribute.termchar_enabled, False)) or (
            serial and values[ResourceAttribute.asrl_end_in] == SerialTermination.termination_char
        )
        self._stop = int(values.get(ResourceAttribute.termchar, 10)) if by_char else NO_STOP
        ends = not values.get(ResourceAttribute.suppress_end_enabled, False)
        socket = self._kind[1] == "SOCKET"
        self._message = ends and not serial and not socket
        self._loose = ends and socket and not by_char
        timeout = values.get(ResourceAttribute.timeout_value, 2000)
        infinite = timeout is None or timeout >= constants.VI_TMO_INFINITE
        self.timeout_ns = INFINITE_NS if infinite else int(timeout) * MS
