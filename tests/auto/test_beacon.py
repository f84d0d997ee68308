"""The beacon is small whatever happens, and nothing that listens can delay a film."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbl.auto.beacon import SIZE_MAX, Beacon, Status, encoded

COUNTS = st.integers(-(10**30), 10**30)
PAIRS = st.tuples(COUNTS, COUNTS)
TEXTS = st.text(max_size=700)


@given(
    st.builds(
        Status,
        mode=TEXTS, state=TEXTS, run=TEXTS, step=TEXTS, reason=TEXTS, calendar=TEXTS, utc=TEXTS,
        bilayers=PAIRS, depositions=PAIRS, deviations=COUNTS, start=COUNTS, boots=COUNTS,
        restarts_left=COUNTS, free_mb=COUNTS, up_s=COUNTS, seq=COUNTS,
    )
)  # fmt: skip
def test_a_datagram_never_grows_beyond_its_size(status: Status) -> None:
    data = encoded(status)
    assert len(data) <= SIZE_MAX
    assert set(json.loads(data)) == {"v", *Status.__slots__}


def test_what_is_usual_is_told_whole() -> None:
    reason = "instrument-silent: bath: no answer within 1 s to 'in_pv_00'; check its cable"
    status = Status(
        mode="drive", state="Execute", run="20261121-121424-bacteriorhodopsin-200",
        step="expose BR", reason=reason, bilayers=(137, 200), depositions=(273, 400),
        deviations=12, start=7, boots=1, restarts_left=4, free_mb=81234, up_s=2_400_000,
        utc="2026-11-21T16:22:58.294Z", seq=240_000,
    )  # fmt: skip
    told = json.loads(encoded(status))
    assert told["reason"] == reason
    assert told["bilayers"] == [137, 200]


@pytest.fixture
def ear() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(5)
        yield made


def test_file_and_datagram_say_the_same(tmp_path: Path, ear: socket.socket) -> None:
    path = tmp_path / "beacon.json"
    beacon = Beacon(str(path), f"127.0.0.1:{ear.getsockname()[1]}")
    for seq in (1, 2):
        sent = beacon.send(Status("wait", reason="for room"))
        assert ear.recv(2 * SIZE_MAX) == sent == path.read_bytes().rstrip()
        assert json.loads(sent)["seq"] == seq
    assert [one.name for one in tmp_path.iterdir()] == ["beacon.json"]
    beacon.close()


@pytest.mark.fault("A9")
def test_nobody_who_listens_is_no_trouble(tmp_path: Path) -> None:
    """A closed port refuses, a file's folder is missing, a network is unreachable: told anyway."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    for peer in (f"127.0.0.1:{port}", "240.0.0.1:9", "[::1]:9", "255.255.255.255:9"):
        beacon = Beacon(str(tmp_path / "missing" / "beacon.json"), peer)
        for _ in range(100):
            assert beacon.send(Status("drive"))
        beacon.close()
