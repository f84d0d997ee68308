"""SCPI as instruments understand it: headers with optional nodes, error queue, status bytes.

Source: SCPI-1999 volume 1 (syntax and style) and IEEE 488.2 common commands. Takes text apart and
keeps the error queue; what a command does is the instrument's. Must never know a quantity.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, Final

LINE_MAX: Final = 1024  # bytes of an unfinished message that are kept
ERRORS_MAX: Final = 30
MESSAGES: Final[Mapping[int, str]] = {
    0: "No error", -102: "Syntax error", -104: "Data type error", -108: "Parameter not allowed",
    -109: "Missing parameter", -113: "Undefined header", -221: "Settings conflict",
    -222: "Data out of range", -224: "Illegal parameter value", -230: "Data corrupt or stale",
    -240: "Hardware error", -350: "Queue overflow", -363: "Input buffer overrun",
}  # fmt: skip
ESR_OPC: Final = 1
ESR_PON: Final = 128
STB_ERROR: Final = 4
STB_ESR: Final = 32
_NODE: Final = "/"  # where a node of the tree keeps the command that ends there

COMMON: Final = (
    "*IDN?", "*RST", "*CLS", "*ESR?", "*ESE", "*ESE?", "*OPC", "*OPC?", "*STB?", "*SRE", "*SRE?",
    "*TST?", "*WAI", "SYSTem:ERRor[:NEXT]?", "SYSTem:VERSion?",
)  # fmt: skip


class ScpiError(Exception):
    """A command that cannot be done; the argument is the SCPI error number."""


Command = tuple[str, list[str]]
"""A command's canonical name (as in the table) and its parameters."""


def grammar(patterns: Iterable[str]) -> dict[str, Any]:
    """Return the tree that finds patterns by header.

    A pattern is written as in manuals: `SENSe:POWer[:DC]:RANGe[:UPPer]?`, capitals for the short
    form, brackets for nodes that may be left out, `?` at the end of a query. A node ending in 1
    may be sent without the 1.
    """
    tree: dict[str, Any] = {}
    for pattern in [*COMMON, *patterns]:
        query = pattern.endswith("?")
        bare = pattern.rstrip("?").replace("[", "|[").replace("]", "]|")
        choices = [_choices(part, index) for index, part in enumerate(bare.split("|")) if part]
        for chosen in product(*choices):
            nodes = [node for part in chosen for node in part]
            _plant(tree, nodes, pattern, query)
    return tree


def _choices(part: str, index: int) -> list[list[str]]:
    """Return the node lists one part of a pattern may stand for."""
    nodes = [node for node in part.strip("[]").split(":") if node]
    return [nodes, []] if part.startswith("[") else [nodes]


def _plant(tree: dict[str, Any], nodes: list[str], pattern: str, query: bool) -> None:
    forms = []
    for node in nodes:
        short = "".join(letter for letter in node if not letter.islower())
        names = {short, node.upper()}
        names |= {name[:-1] for name in names if name.endswith("1")}
        forms.append(names)
    for spelling in product(*forms):
        branch = tree
        for name in spelling:
            branch = branch.setdefault(name, {})
        branch[_NODE + "?" if query else _NODE] = pattern


def commands(message: str) -> list[tuple[str, list[str]]]:
    """Return the (header, parameters) units of one message; `;` and `,` in quotes do not cut."""
    units = []
    for unit in _split(message, ";"):
        header, _, rest = unit.strip().partition(" ")
        parameters = [part.strip(" \t") for part in _split(rest, ",")] if rest.strip() else []
        if header:
            units.append((header, parameters))
    return units


def _split(text: str, cut: str) -> list[str]:
    if '"' not in text and "'" not in text:
        return text.split(cut)
    parts, start, quote = [], 0, ""
    for place, letter in enumerate(text):
        if letter in "\"'" and quote in ("", letter):
            quote = "" if quote else letter
        elif letter == cut and not quote:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return parts


def number(text: str) -> float:
    """Return a decimal parameter; raises ScpiError(-104) for anything else."""
    try:
        value = float(text)
    except ValueError:
        raise ScpiError(-104) from None
    if value != value or value in (float("inf"), float("-inf")):
        raise ScpiError(-104)
    return value


def one(parameters: list[str]) -> str:
    """Return the only parameter; raises ScpiError -109 or -108."""
    if len(parameters) != 1:
        raise ScpiError(-108 if parameters else -109)
    return parameters[0]


def boolean(parameters: list[str]) -> bool:
    """Return ON, OFF, 1 or 0 as a truth value."""
    word = one(parameters).upper()
    if word in ("ON", "OFF"):
        return word == "ON"
    return number(word) != 0.0


class Scpi:
    """The message side of one SCPI instrument.

    `reset` is called for *RST. Errors are counted in the queue and in the event status register.
    """

    def __init__(
        self,
        tree: Mapping[str, Any],
        identity: str,
        *,
        zero: str = "0",
        reset: Callable[[], None],
    ) -> None:
        self._tree = tree
        self._identity = identity
        self._zero = zero  # how the number of "No error" is printed
        self._reset = reset
        self.wake()

    def wake(self) -> None:
        """Take the power-on state."""
        self._buffer = b""
        self._errors: deque[int] = deque()
        self._esr = ESR_PON
        self._masks = {"*ESE": 0, "*SRE": 0}

    def messages(self, data: bytes) -> list[str]:
        """Take bytes and return the complete messages (LF ends one; a CR before it is dropped)."""
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out = []
        for line in lines:
            if len(line) > LINE_MAX:
                self.error(-363)
            else:
                out.append(line.decode("latin-1").rstrip("\r"))
        return out

    def answer(self, message: str, execute: Callable[[str, list[str]], str | None]) -> str:
        """Carry out every command of a message; return the joined answers, "" for none.

        `execute(name, parameters)` does an instrument's own command and returns its answer.
        """
        answers = []
        path: list[str] = []
        for header, parameters in commands(message):
            try:
                name, path = self._find(header, path)
                answer = self._common(name, parameters) if name in COMMON else None
                if answer is None and name not in COMMON:
                    answer = execute(name, parameters)
            except ScpiError as error:
                self.error(int(error.args[0]))
                continue
            if answer is not None:
                answers.append(answer)
        return ";".join(answers)

    def error(self, code: int) -> None:
        """Put an error into the queue and its class into the event status register."""
        self._esr |= {1: 32, 2: 16, 3: 8, 4: 4}[-code // 100]
        if len(self._errors) < ERRORS_MAX:
            self._errors.append(code)
        else:
            self._errors[-1] = -350

    def _find(self, header: str, path: list[str]) -> tuple[str, list[str]]:
        """Return the canonical name of a header and the path that the next one inherits."""
        upper = header.upper()
        query = upper.endswith("?")
        nodes = upper.rstrip("?").lstrip(":").split(":")
        tries = [nodes] if upper[0] in ":*" or not path else [path + nodes, nodes]
        for whole in tries:
            branch: Any = self._tree
            for node in whole:
                branch = branch.get(node)
                if branch is None:
                    break
            else:
                name = branch.get(_NODE + "?" if query else _NODE)
                if name is not None:
                    return name, path if upper[0] == "*" else whole[:-1]
        raise ScpiError(-113)

    def _common(self, name: str, parameters: list[str]) -> str | None:
        if name in ("*ESE", "*SRE"):
            value = int(number(one(parameters)))
            if not 0 <= value <= 255:
                raise ScpiError(-222)
            self._masks[name] = value
            return None
        if parameters:
            raise ScpiError(-108)
        if name == "*RST":
            self._reset()
        elif name == "*CLS":
            self._errors.clear()
            self._esr = 0
        elif name == "*OPC":
            self._esr |= ESR_OPC
        elif name != "*WAI":
            return self._report(name)
        return None

    def _report(self, name: str) -> str:
        if name == "*IDN?":
            return self._identity
        if name.startswith("SYSTem:ERR"):
            code = self._errors.popleft() if self._errors else 0
            return f'{code or self._zero},"{MESSAGES[code]}"'
        if name == "*ESR?":
            value, self._esr = self._esr, 0
            return str(value)
        if name == "*STB?":
            return str(self.status())
        if name in ("*ESE?", "*SRE?"):
            return str(self._masks[name[:-1]])
        return {"*OPC?": "1", "*TST?": "0"}.get(name, "1999.0")

    def status(self) -> int:
        """Return the status byte."""
        value = STB_ERROR if self._errors else 0
        return value | (STB_ESR if self._esr & self._masks["*ESE"] else 0)

    def plain(self) -> dict[str, object]:
        """Return the whole dynamic state as JSON data."""
        return {
            "buffer": self._buffer.decode("latin-1"),
            "errors": list(self._errors),
            "esr": self._esr,
            "masks": dict(self._masks),
        }

    def take(self, state: Mapping[str, Any]) -> None:
        """Take a state that `plain` gave."""
        self._buffer = state["buffer"].encode("latin-1")
        self._errors = deque(state["errors"])
        self._esr = state["esr"]
        self._masks = dict(state["masks"])
