"""The inbox: commands in order and once; garbage is moved aside, bounded, and never blocks."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbl.errors import BadInput
from lbl.journal.inbox import FILE_BYTES_MAX, REJECTED_MAX, TAKEN_MAX, WAITING_MAX, Inbox

NAME = "000001-0123456789ab.json"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    (tmp_path / "commands").mkdir()
    return Inbox(tmp_path)


def put(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / "commands" / name).write_bytes(data)


def test_commands_come_in_order_and_once(tmp_path: Path, inbox: Inbox) -> None:
    other = Inbox(tmp_path)
    ids = [other.post(verb, "Ada", "because") for verb in ("hold", "unhold", "stop")]
    taken = inbox.take()
    assert [(one.verb, one.by, one.reason, one.id) for one in taken] == [
        (verb, "Ada", "because", name)
        for verb, name in zip(("hold", "unhold", "stop"), ids, strict=True)
    ]
    assert inbox.take() == []
    inbox.remove(ids[0])
    inbox.remove(ids[0])
    assert [one.id for one in Inbox(tmp_path).take()] == ids[1:]  # not journaled: found again
    later = other.post("hold", "Bo", "")
    assert [one.id for one in inbox.take()] == [later]
    assert later not in ids


def test_a_look_is_bounded_and_so_is_the_folder(tmp_path: Path, inbox: Inbox) -> None:
    for _ in range(WAITING_MAX):
        inbox.post("hold", "x", "y")
    with pytest.raises(BadInput, match="inbox-full"):
        inbox.post("hold", "x", "y")
    seen: list[str] = []
    while taken := inbox.take():
        assert len(taken) <= TAKEN_MAX
        seen += [one.id for one in taken]
        for one in taken:
            inbox.remove(one.id)
    assert len(set(seen)) == WAITING_MAX
    assert os.listdir(tmp_path / "commands") == []
    assert not inbox._given


def test_posting(tmp_path: Path) -> None:
    fresh = Inbox(tmp_path)
    assert fresh.take() == []
    for verb in ("", "Hold", "a b", "x" * 40, "-x"):
        with pytest.raises(BadInput, match="command-wrong"):
            fresh.post(verb, "x", "y")
    fresh.post("hold", "x" * 2000, "y" * 2000)
    assert [len(one.reason) for one in fresh.take()] == [500]
    with pytest.raises(BadInput, match="run-unwritable"):
        Inbox(tmp_path / "none").post("hold", "x", "y")


GOOD = {"verb": "hold", "by": "x", "reason": "y"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("readme.txt", b"hello"),
        ("000001-0123456789ab.json.tmp", b"{}"),
        (NAME, b""),
        (NAME, b"not json"),
        (NAME, b"[]"),
        (NAME, b"[" * 4000),
        (NAME, b"\xff\xfe"),
        (NAME, json.dumps({**GOOD, "more": 1}).encode()),
        (NAME, json.dumps({**GOOD, "by": 1}).encode()),
        (NAME, json.dumps({**GOOD, "by": "\ud800"}).encode()),
        (NAME, json.dumps({**GOOD, "verb": "rm -rf"}).encode()),
        (NAME, json.dumps({**GOOD, "reason": "y" * 501}).encode()),
        (NAME, json.dumps(GOOD).encode().ljust(FILE_BYTES_MAX + 1)),
    ],
)
def test_garbage_is_moved_aside_and_said(
    tmp_path: Path, inbox: Inbox, name: str, data: bytes
) -> None:
    put(tmp_path, name, data)
    wanted = inbox.post("stop", "x", "y")
    assert [one.id for one in inbox.take()] == [wanted]
    notes = inbox.notes()
    assert len(notes) == 1
    assert name[:20] in notes[0]
    assert "moved to commands/rejected" in notes[0]
    assert inbox.notes() == []
    assert (tmp_path / "commands" / "rejected" / name).exists()


def test_pipes_links_and_folders_do_not_block(tmp_path: Path, inbox: Inbox) -> None:
    commands = tmp_path / "commands"
    os.mkfifo(commands / NAME)
    (tmp_path / "target").write_text(json.dumps(GOOD))
    (commands / NAME.replace("1-", "2-")).symlink_to(tmp_path / "target")
    (commands / NAME.replace("1-", "3-")).mkdir()
    assert inbox.take() == []
    assert len(inbox.notes()) == 3
    assert os.listdir(commands) == ["rejected"]


def test_rejected_files_are_bounded(tmp_path: Path, inbox: Inbox) -> None:
    for number in range(REJECTED_MAX + 10):
        put(tmp_path, f"junk{number}", b"x")
    assert inbox.take() == []
    assert len(os.listdir(tmp_path / "commands" / "rejected")) == REJECTED_MAX
    assert len(inbox.notes()) == REJECTED_MAX
    put(tmp_path, "junk", b"x")
    assert inbox.take() == []
    assert inbox.notes()[0].endswith("deleted")


def test_what_cannot_be_moved_is_passed_over(tmp_path: Path, inbox: Inbox) -> None:
    put(tmp_path, "rejected", b"a file where the folder should be")
    put(tmp_path, "junk.json", b"x")
    wanted = inbox.post("hold", "x", "y")
    assert [one.id for one in inbox.take()] == [wanted]
    assert "left in place" in inbox.notes()[0]
    assert inbox.take() == []
    assert inbox.notes() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=60))
def test_no_content_breaks_the_taker(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "commands").mkdir(exist_ok=True)
    put(tmp_path, NAME, data)
    inbox = Inbox(tmp_path)
    taken: list[Any] = inbox.take()
    assert len(taken) + len(inbox.notes()) == 1
    for one in taken:
        inbox.remove(one.id)
