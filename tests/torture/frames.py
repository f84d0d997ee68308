"""Garbage on the wire: every framing and every parser of the drivers, millions of mutated frames.

A frame begins as a right one and is cut, doubled, flipped or replaced. Whatever comes, a parser
returns a value or raises InstrumentError, a framing keeps no more than a bounded rest, and one
framing fed in pieces gives what it gives when fed whole. Seeded; stops after so many frames.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from drivers import (
    alicat,
    cavro,
    huber,
    ika,
    julabo,
    lakeshore336,
    mettler,
    newera_packet,
    qcm200,
    scpi,
    sqm160,
    sqm160_packet,
    vici,
    zaber_ascii,
)
from drivers.errors import InstrumentError
from drivers.framing import LF, Line

REST_MAX = 8192
# framing, parser of one message, right messages as they stand on the wire
TABLE: Sequence[tuple[str, Any, Callable[[bytes], object], Sequence[bytes]]] = (
    ("zaber", zaber_ascii.FRAMING, zaber_ascii.parse, [b"@01 1 05 OK IDLE -- 1000:65\r\n"]),
    ("newera", newera_packet.FRAMING, newera_packet.parse, [
        b"\x0200SI0.500W0.000ML\x03", b"\x0200A?R\x03", b"\x02\x08SAF0\x55\x43\x03",
    ]),
    ("newera volumes", newera_packet.FRAMING, newera_packet.volumes, [b"\x02I0.500W0.000ML\x03"]),
    ("scpi", scpi.LINE, scpi.measured, [b"1.387234E-03\n", b"9.9E37\n"]),
    ("scpi errors", scpi.LINE, scpi.error_entry, [b'-113,"Undefined header"\n']),
    ("scpi identity", scpi.LINE, scpi.identity, [b"THORLABS,PM100D,P0012345,2.8.0\n"]),
    ("julabo", julabo.FRAMING, julabo._degrees, [b"22.07\r\n"]),
    ("mettler", mettler.FRAMING, mettler.weight, [
        b"S S     100.00 g\r\n", b"S D      -0.01 g\r\n",
    ]),
    ("cavro", Line(end=LF), cavro.parse, [b"/0`3000\x03\r\n"]),
    ("vici", vici.FRAMING, vici.position, [b"CP04\r", b"Position is  = 4\r"]),
    ("qcm200", qcm200.FRAMING, qcm200._number, [b"5000123.45\r"]),
    ("sqm160", sqm160.FRAMING, sqm160_packet.number, [b"!#@O7", b"!/A5875830.230:X"]),
    ("lakeshore", Line(end=LF), lakeshore336.reading, [b"+295.1234\r\n"]),
    ("alicat", alicat.FRAMING, lambda line: alicat.frame(line, "A"), [
        b"A +101.32 +022.41 +0012.5 +003.2\r",
    ]),
    ("ika", ika.FRAMING, lambda line: ika.number(line, 1), [b"25.3 1 \r\n"]),
    ("huber", huber.FRAMING, lambda line: huber.answer(line, 1), [b"{S01092E\r\n"]),
)  # fmt: skip


def mutated(frame: bytes, chance: random.Random) -> bytes:
    """A frame that something happened to on the way."""
    data = bytearray(frame)
    for _ in range(chance.randint(0, 4)):
        place = chance.randrange(len(data) + 1)
        what = chance.randrange(4)
        if what == 0 and data:
            data[min(place, len(data) - 1)] ^= 1 << chance.randrange(8)
        elif what == 1:
            del data[place : place + chance.randint(1, 4)]
        elif what == 2:
            data[place:place] = chance.randbytes(chance.randint(1, 6))
        else:
            data[place:place] = data[: chance.randint(0, len(data))]
    return bytes(data)


def messages(framing: Any, data: bytes, pieces: int) -> list[bytes]:
    """What a framing makes of a stream that arrives in pieces."""
    found: list[bytes] = []
    rest = b""
    for start in range(0, len(data), pieces):
        rest += data[start : start + pieces]
        for _ in range(64):
            try:
                message, rest = framing.take(rest)
            except InstrumentError:
                rest = b""
                break
            if message is None:
                break
            found.append(message)
        assert len(rest) <= REST_MAX, "an unbounded rest"
    return found


def main() -> int:
    frames = int(float(sys.argv[1])) if len(sys.argv) > 1 else 2_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    chance, began, wrong, refused = random.Random(seed), time.monotonic(), 0, 0
    for number in range(frames):
        name, framing, parse, right = TABLE[number % len(TABLE)]
        data = mutated(chance.choice(right), chance)
        for message in messages(framing, data, 4096):
            try:
                parse(message)
            except InstrumentError:
                refused += 1
            except Exception as error:
                wrong += 1
                print(f"seed {seed} frame {number} {name}: {data!r}: {error!r}", flush=True)
    spent = time.monotonic() - began
    print(f"frames: {frames}, {refused} refused, {wrong} wrong, {spent:.0f} s (seed {seed})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
