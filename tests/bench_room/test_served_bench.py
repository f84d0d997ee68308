"""The dip bench served on TCP: connections that break, and the kit over real descriptors.

Served time runs fast; nothing here asserts how long anything took.
"""

import json
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lbl import errors
from lbl._core import Core
from lbl.bench import conformance
from lbl.bench.bench import Bench, InstrumentError
from lbl.bench.card import Card
from lbl.bench.file import read_bench
from lbl.bench.served import reaching
from lbl.bench.simulated import Simulation
from lbl.cli import app
from lbl.shipped import find
from sim.faults import Fault
from sim.serve import serve

SPEED = 100.0


class Served:
    """The dip bench in a thread: its bench file, and the models themselves."""

    def __init__(self, folder: Path) -> None:
        path = find("dip", "sim", "bench")
        self.simulation = Simulation(read_bench(path), {}, seed=0, area=2.0, sides=2)
        self.resources: dict[str, str] = {}
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._ready.wait(10)
        self.path = folder / "served.yaml"
        self.path.write_text(reaching(path.read_text("utf-8"), self.resources, SPEED), "utf-8")

    def _serve(self) -> None:
        serve(
            self.simulation.assembly,
            transport="tcp",
            announce=self._announce,
            stop=self._stop.is_set,
            speed=SPEED,
        )

    def _announce(self, fact: dict[str, object]) -> None:
        if "ready" in fact:
            self._ready.set()
        else:
            self.resources[str(fact["name"])] = str(fact["resource"])

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("drivers.bus.Bus.reopen.__kwdefaults__", {"tries": 2, "pause_s": 0.0})
    made = Served(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bench(served: Served) -> Iterator[Bench]:
    made = Bench(read_bench(served.path), Core(virtual=False), None, "test")
    yield made
    made.close()


def cut(bench: Bench, name: str) -> None:
    """Break the connection that leads to an instrument."""
    with socket.socket(fileno=os.dup(bench.instruments[name].port.fd)) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def test_a_broken_connection_is_opened_again(bench: Bench) -> None:
    before = bench.identify()
    bench.rest()
    cut(bench, "lift")
    for name in ("lift", "carousel"):  # chained: both are behind the same port
        for _ in range(2):
            with pytest.raises(InstrumentError) as caught:
                bench.instruments[name].position()
            assert caught.value.kind == "lost"
    assert bench.instruments["balance"].grams() > 0
    assert bench.reconnect() == []
    assert bench.identify() == before
    bench.rest()
    assert bench.safe() == []
    assert bench.reconnect() == []  # nothing is lost: nothing is done


def test_another_instrument_behind_the_same_plug_is_not_taken(bench: Bench) -> None:
    bench.identify()
    cut(bench, "balance")
    with pytest.raises(InstrumentError):
        bench.instruments["balance"].grams()
    held: Any = bench._known["balance"]
    bench._known["balance"] = type(held)(held.maker, held.model, "B999", held.firmware)
    (sentence,) = bench.reconnect()
    assert "answers where" in sentence and "B999" in sentence


def test_an_instrument_that_stays_away_is_named_and_hides_no_other(
    served: Served, bench: Bench
) -> None:
    bench.identify()
    cut(bench, "balance")
    cut(bench, "bath")
    for name, verb in (("balance", "grams"), ("bath", "temperature")):
        with pytest.raises(InstrumentError):
            getattr(bench.instruments[name], verb)()
    served.close()
    bath, balance = bench.reconnect()
    assert bath.startswith("bath at TCPIP") and balance.startswith("balance at TCPIP")


@pytest.mark.parametrize(
    ("driver", "name", "more"),
    [
        ("newera", "feed", ("--address", "0")),
        ("zaber", "carousel", ("--address", "2", "--set", "travel=0..300 deg",
                               "--set", "microstep=0.00046875 deg")),
        ("pm100d", "photodiode", ()),
        ("dc2200", "led", ()),
    ],
)  # fmt: skip
def test_the_kit_over_a_descriptor_writes_a_card(
    served: Served, tmp_path: Path, driver: str, name: str, more: tuple[str, ...]
) -> None:
    file = tmp_path / "card.json"
    words = ["driver", "test", served.resources[name], "--driver", driver, *more]
    done = CliRunner().invoke(app, [*words, "--count", "3", "-o", str(file), "--json"])
    assert done.exit_code == 0, done.output + str(done.exception)
    card = Card.model_validate(json.loads(file.read_text("utf-8")))
    assert card.as_json() == json.loads(done.stdout.splitlines()[-1])
    assert {one.name: one.outcome for one in card.checks} == dict.fromkeys(
        ("identify", "limits", "units", "time-out", "recovery", "safe", "two clients", "unplug"),
        "passed",
    )
    assert card.driver == driver and card.latency["sense"].count == 3
    text = served.path.read_text("utf-8").replace(
        f"driver: {driver}", f"driver: {driver}, card: {file.name}", 1
    )
    with_card = tmp_path / "carded.yaml"
    with_card.write_text(text, encoding="utf-8")
    if driver != "zaber":  # the first Zaber of the file is the lift
        assert read_bench(with_card).instruments[name].card == card


def test_what_cannot_be_made_safe_is_named(served: Served) -> None:
    served.simulation.assembly.inject("led", Fault("drop", at_ns=0, count=1_000_000))
    done = CliRunner().invoke(app, ["bench", "safe", str(served.path)])
    assert isinstance(done.exception, errors.Fault)
    (problem,) = done.exception.problems
    assert problem.code == "bench-unsafe" and "led" in problem.sentence


def test_the_wrong_driver_is_refused(served: Served) -> None:
    words = ["driver", "test", served.resources["balance"], "--driver", "pm100d"]
    done = CliRunner().invoke(app, words)
    assert done.exception is not None and "bench-no-answer" in str(done.exception)


def test_a_person_is_asked_to_unplug(served: Served) -> None:
    """A hand on the plug, here a hand that cuts the connection."""
    from lbl.bench.instruments import spec_of

    asked: list[str] = []

    def hand(what: str) -> bool:
        asked.append(what)
        if len(asked) == 1:
            with socket.socket(fileno=os.dup(subject.port.fd)) as wire:
                wire.shutdown(socket.SHUT_RDWR)
        return True

    spec = spec_of("mettler", served.resources["balance"], {})
    subject = conformance.Subject("balance", spec, Core(virtual=False), ask=hand)
    try:
        assert conformance.returns(subject).outcome == "passed"
        assert "Unplug balance" in asked[0] and "Plug balance in" in asked[1]
        subject.ask = lambda what: False
        assert conformance.returns(subject).outcome == "skipped"
        subject.ask = lambda what: True  # says so and does nothing
        check = conformance.returns(subject)
        assert (check.outcome, check.sentence) == (
            "failed", "it answered although it was unplugged"
        )  # fmt: skip
    finally:
        subject.close()
