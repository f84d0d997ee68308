"""The computer stops, or the disk fails, at every single operation; the journal stays true.

After each stop the folder is opened again: every acknowledged record is there, at most the one in
flight besides, and the count of depositions is that of the records.
"""

import errno
from typing import Any

import pytest

from lbl.errors import BadInput, Fault
from lbl.journal.audit import verify
from lbl.journal.canonical import encode
from lbl.journal.events import fold, initial
from lbl.journal.opening import events

pytestmark = pytest.mark.usefixtures("often")

# Dips, finished depositions, doses, notes, heads and checkpoints, in the player's numbering.
SCRIPT = (0, 2, 7, 3, 1, 2, 4, 3, 5, 2, 3, 10, 6, 2, 3, 9, 8)


class Film:
    """A run played on a disk until it ends or something happens; remembers what was promised."""

    def __init__(self, kit: Any, disk: Any, durable: bool) -> None:
        self.kit = kit
        self.disk = disk
        self.durable = durable
        self.player: Any = None

    def play(self) -> None:
        self.player = self.kit.Player(self.kit.begin(self.disk, durable=self.durable))
        for choice in SCRIPT:
            self.player.act(choice)

    def check(self) -> Any:
        """Open what is left and compare it with what was promised; returns the journal."""
        promised = self.player.events if self.player else []
        try:
            journal = self.kit.reopen(self.disk)
        except BadInput as error:
            assert error.problems[0].code == "run-empty"
            assert not promised
            return None
        assert journal.opening.proven or not self.durable
        kept = list(events(self.disk, "r1"))
        told = {event.seq: event.hash for event in kept}
        assert all(told[event.seq] == event.hash for event in promised)
        # Beyond the promise: the record in flight, a checkpoint after it, notes of torn tails.
        own = [event for event in kept if event.kind != "torn-tail"]
        assert len(own) <= self.torn_before(kept, promised) + 2
        state = initial()
        for event in kept:
            state = fold(state, event)
        assert encode(journal.state) == encode(state)
        return journal

    def torn_before(self, kept: list[Any], promised: list[Any]) -> int:
        """How many records that are no torn-tail notes stand up to the last promised one."""
        last = promised[-1].seq if promised else 0
        return sum(1 for event in kept if event.seq <= last and event.kind != "torn-tail")

    def go_on(self, journal: Any) -> None:
        """The run takes its course to a whole journal."""
        before = journal.state["depositions"]
        player = self.kit.Player(journal)
        player.events, self.player = (self.player.events if self.player else []), player
        for choice in (2, 3, 2, 3):
            player.act(choice)
        assert journal.state["depositions"] == before + 2
        journal.close("done")
        report = verify(self.disk, "r1")
        assert report.ok, report.text()


def operations(kit: Any, durable: bool) -> int:
    disk = kit.Disk()
    Film(kit, disk, durable).play()
    return len(disk.calls)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.fault("A1")
def test_a_power_cut_at_every_operation(kit: Any, seed: int) -> None:
    for stop in range(1, operations(kit, True) + 1):
        disk = kit.Disk(seed * 1000 + stop)
        disk.stop_at = stop
        film = Film(kit, disk, durable=True)
        with pytest.raises(kit.Crash):
            film.play()
        disk.power_cut()
        journal = film.check()
        if journal is not None:
            film.go_on(journal)


@pytest.mark.parametrize("durable", [True, False])
def test_a_killed_process_at_every_operation(kit: Any, durable: bool) -> None:
    for stop in range(1, operations(kit, durable) + 1):
        disk = kit.Disk(stop)
        disk.stop_at = stop
        film = Film(kit, disk, durable)
        with pytest.raises(kit.Crash):
            film.play()
        disk.restart()
        journal = film.check()
        if journal is not None:
            assert not journal.opening.findings
            film.go_on(journal)


@pytest.mark.parametrize("seed", range(2))
def test_a_second_power_cut_while_the_run_is_taken_up(kit: Any, seed: int) -> None:
    for stop in range(12, operations(kit, True) + 1, 3):
        for again in range(1, 9):
            disk = kit.Disk(seed * 1000 + stop)
            disk.stop_at = stop
            film = Film(kit, disk, durable=True)
            with pytest.raises(kit.Crash):
                film.play()
            disk.power_cut()
            disk.stop_at = again
            try:
                film.go_on(film.check())
                break  # taking it up needs fewer operations
            except kit.Crash:
                disk.power_cut()
            journal = film.check()
            film.go_on(journal)


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.fault("A11")
def test_a_failing_disk_at_every_operation(kit: Any, error: int, cut: bool) -> None:
    for fail in range(1, operations(kit, True) + 1):
        disk = kit.Disk(fail)
        disk.fail_at, disk.error = fail, error
        film = Film(kit, disk, durable=True)
        with pytest.raises(Fault, match="run-unwritable"):
            film.play()
        made = len(disk.calls)
        if film.player:
            with pytest.raises(Fault):
                film.player.put("note", text="after the failure")
        assert len(disk.calls) == made, "nothing is tried again"
        if cut:
            disk.power_cut()
        disk.restart()
        journal = film.check()
        if journal is not None:
            film.go_on(journal)


def test_a_lying_disk_is_found_out_by_the_heads(kit: Any) -> None:
    """Synced records that are gone after all: shorter than a head says is never believed."""
    disk = kit.Disk()
    Film(kit, disk, durable=True).play()
    journal = disk.names["journal.jsonl"]
    lines = journal.data.splitlines(keepends=True)
    journal.data = b"".join(lines[:-4])
    with pytest.raises(Fault, match="journal-short") as refusal:
        kit.reopen(disk)
    assert "head" in str(refusal.value)
    assert not verify(disk, "r1").ok
