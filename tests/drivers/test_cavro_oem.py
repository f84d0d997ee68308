"""Cavro OEM frames: the bytes other clients send, and answers no damage passes."""

from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cavro_oem import Oem, frame

FRAMING = Oem()


def says(text: bytes) -> bytes:
    body = b"\x020" + text + b"\x03"
    return body + bytes([reduce(xor, body)])


@pytest.mark.parametrize(
    ("words", "repeat", "sent"),
    [
        ("Q", False, "023131510350"),
        ("Q", True, "023139510358"),
        ("ZR", False, "0231315a520309"),
        ("A3000R", False, "0231314133303030520311"),
    ],
)
def test_frames_as_clients_send_them(words: str, repeat: bool, sent: str) -> None:
    assert frame(b"1", 1, words, repeat=repeat) == bytes.fromhex(sent)


@pytest.mark.parametrize(
    ("heard", "message"),
    [
        ("0230600351", b"0`"),
        ("0230400371", b"0@"),
        ("0230603330303003" + "52", b"0`3000"),
        ("ff0230600351", b"0`"),  # TriContinent's FF in front
        ("023131510350" + "0230600351", b"0`"),  # an echo of the question in front
        ("0230" + "0230600351", b"0`"),  # a cut answer in front
    ],
)
def test_answers(heard: str, message: bytes) -> None:
    assert FRAMING.take(bytes.fromhex(heard)) == (message, b"")


def test_a_checksum_that_looks_like_a_start_or_an_end() -> None:
    for n in range(3000):
        packet = says(b"`%d" % n)
        assert FRAMING.take(packet + says(b"@")) == (b"0`%d" % n, says(b"@"))


@given(st.integers(0, 8), st.integers(1, 255))
def test_one_changed_byte_is_never_believed(place: int, change: int) -> None:
    packet = bytearray(says(b"`3000"))
    packet[place] ^= change
    assert FRAMING.take(bytes(packet))[0] is None


@given(st.binary(max_size=40), st.integers(1, 60))
def test_after_noise_the_stream_is_in_step_again(noise: bytes, size: int) -> None:
    noise = noise.replace(b"\x02", b"")
    data, rest, found = noise + says(b"`3000") + says(b"@"), b"", []
    for start in range(0, len(data), size):
        rest += data[start : start + size]
        while True:
            message, rest = FRAMING.take(rest)
            if message is None:
                break
            found.append(message)
    assert found == [b"0`3000", b"0@"]


@given(st.binary(max_size=700))
def test_nothing_grows_without_bound(data: bytes) -> None:
    message, rest = FRAMING.take(data)
    assert len(rest) <= 301 or message is not None
