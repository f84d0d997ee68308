"""MT-SICS balance: weights right-aligned, overload never a weight, the port never blocked."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.mettler import Mettler, weight

I4 = (b"I4\r\n", b'I4 A "B021002593"\r\n')


def si(line: bytes) -> tuple[bytes, bytes]:
    return b"SI\r\n", line + b"\r\n"


def test_identify(script: Any) -> None:
    port = script.port([(b"I2\r\n", b'I2 A "XS205DU Excellence 220.0000 g"\r\n'), I4])
    script.then((b"I3\r\n", b'I3 A "1.10 18.6.4.1361.772"\r\n'))
    identity = Mettler(port, "balance").identify()
    assert identity.model == "XS205DU Excellence 220.0000 g"
    assert (identity.serial, identity.firmware) == ("B021002593", "1.10 18.6.4.1361.772")


@pytest.mark.parametrize(
    ("line", "grams", "stable"),
    [
        (b"S S     100.00 g", 100.0, True),
        (b"S D    -12.345 g", -12.345, False),
        (b"S S   100000.0 mg", 100.0, True),
        (b"SI S     1.0000 kg", 1000.0, True),  # some emulators repeat the command
    ],
)
def test_weights(line: bytes, grams: float, stable: bool) -> None:
    got = weight(line)
    assert got.grams == pytest.approx(grams)
    assert got.stable is stable


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"S +", "fault"),
        (b"S -", "fault"),
        (b"S I", "busy"),
        (b"EL", "fault"),
        (b"ES", "garbled"),
        (b"ET", "garbled"),
        (b"S S     100.00", "garbled"),
        (b"S S     1 0.00 g", "garbled"),
        (b"S S     100.00 lb", "garbled"),
        (b'I4 A "B021002593"', "garbled"),
    ],
)
def test_what_is_no_weight(line: bytes, kind: str) -> None:
    with pytest.raises(InstrumentError) as caught:
        weight(line)
    assert caught.value.kind == kind


@given(st.binary(max_size=40))
def test_garbage_is_never_a_weight(line: bytes) -> None:
    with pytest.raises(InstrumentError):
        weight(line)


def test_stable_grams_polls_and_leaves_the_port_free(script: Any) -> None:
    port = script.port([si(b"S D     100.10 g")] * 3 + [si(b"S S     100.00 g")])
    assert Mettler(port, "balance").stable_grams(5.0) == 100.0
    assert 0.75e9 <= script.core.now_ns() < 0.9e9


def test_stable_grams_is_bounded(script: Any) -> None:
    port = script.port([si(b"S D     100.10 g")] * 5)
    with pytest.raises(InstrumentError, match="no stable weight within 1 s") as caught:
        Mettler(port, "balance").stable_grams(1.0)
    assert caught.value.kind == "busy"


def test_prepare_cancels_a_stream(script: Any) -> None:
    port = script.port([(b"@\r\n", b'S D     100.00 g\r\nI4 A "B021002593"\r\n')])
    # the weight of the running stream is no answer to @: asked again, in step
    script.then(I4, (b"@\r\n", I4[1]), si(b"S S     100.00 g"))
    Mettler(port, "balance").prepare()


def test_safe_is_a_look(script: Any) -> None:
    balance = Mettler(script.port([I4]), "balance")
    assert balance.safe_bytes() == ()
    balance.safe()
