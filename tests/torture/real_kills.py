"""Controllers killed with SIGKILL against instruments in another process, resumed, and judged.

The bench is served over TCP or pty at scaled time and outlives every controller, as a real one
would; its own ledger is the judge: every deposition once, in order, for its dwell, rinsed, nothing
collided; the journal's chain holds. Seeded as far as real time can be. Binds to loopback alone.

    python -m tests.torture.real_kills KILLS [SEED [FILMS AT ONCE]]
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LBL = [sys.executable, "-m", "lbl.cli"]
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
SPEED = "60"
SHORT = ["--set", "bilayers=1", "--set", "dwell=2 min"]
AT_LEAST_S, AT_MOST_S = 60.0, 1200.0  # the window of `demo`, whose dwell is 120 s
KINDS = ("dip-tcp", "flow-pty", "flow-tcp", "dip-pty")
KILL_S = (0.4, 9.0)  # after a process was started, each decade of time as likely
KILLS_MAX = 9  # of one film
FILM_S = 120.0  # for a process that nobody kills; a film takes some 15 s
TOLD = 20  # films between two lines of progress
TRIES = 12  # processes that may end in order, held say, before a film is given up
COMPLETE = 0
RINSES = {"dip": {"PDAC": "P1 P2 P3", "BR": "N1 N2"}, "flow": {"PDAC": "rinse", "BR": "rinse"}}


@dataclass
class Count:
    """What a campaign has done."""

    films: int = 0
    kills: int = 0
    depositions: int = 0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def served(kind: str, folder: Path) -> Iterator[None]:
    """A bench in a process of its own; its file and ledger lie in the folder."""
    bench, transport = kind.split("-")
    words = ["sim", "serve", bench, f"--{transport}", "--speed", SPEED, "--recipe", "demo"]
    files = ["--ledger", "ledger.jsonl", "--write-bench", "served.yaml"]
    with subprocess.Popen([*LBL, *words, *files], cwd=folder, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            while b'"ready"' not in server.stdout.readline():
                assert server.poll() is None, "the bench could not be served"
            yield
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def driven(folder: Path, delay_s: float) -> int | None:
    """Start or resume the run; None if it was killed after so long, else how it ended."""
    begun = any(folder.glob("runs/*/journal.jsonl"))
    start = ["run", "demo", "--bench", "served.yaml", *SHORT]
    words = ["resume", "last"] if begun else start
    with subprocess.Popen([*LBL, *words], cwd=folder, start_new_session=True, **QUIET) as run:
        try:
            return run.wait(delay_s)
        except subprocess.TimeoutExpired:
            run.kill()
            return None


def film(kind: str, folder: Path, chance: random.Random, count: Count, kills: int) -> str:
    """One film through so many kills to its end; "" or what is wrong with it."""
    low, high = KILL_S
    with served(kind, folder):
        for _ in range(kills):
            ended = driven(folder, low * (high / low) ** chance.random())
            if ended == COMPLETE:
                break
            count.kills += ended is None
            _parked(folder)
        else:
            for _ in range(TRIES):
                if driven(folder, FILM_S) == COMPLETE:
                    break
                _parked(folder)
        return judge(folder, kind.split("-")[0], count)


def _parked(folder: Path) -> None:
    """Wait until the guardian has let go of the bench: nobody may resume before."""
    time.sleep(0.2)
    end = time.monotonic() + 10.0
    while time.monotonic() < end:
        done = subprocess.run(
            [*LBL, "status", "last", "--json"], cwd=folder, capture_output=True, check=False
        )
        if b'"pid": 0' in done.stdout or done.returncode:
            return
        time.sleep(0.1)


def judge(folder: Path, bench: str, count: Count) -> str:
    """What ledger and journal say against a film."""
    ledger = lines(folder / "ledger.jsonl")
    journal = lines(next(iter(folder.glob("runs/*/journal.jsonl"))))
    if any(row["kind"] == "collision" for row in ledger):
        return "something collided"
    states = [one["payload"]["to"] for one in journal if one["kind"] == "state"]
    if states[-1:] != ["Complete"]:
        return f"it came to no end: {states[-1:]}"
    done = [one["payload"]["deposition"] for one in journal if one["kind"] == "deposition-done"]
    stays = exposed(ledger, RINSES[bench])
    names = [name for name, _, _ in stays]
    if names != ["PDAC", "BR"] or done != [1, 2]:
        return f"exposed to {names}, the journal counts {done}"
    count.depositions += len(stays)
    told = {one["payload"].get("code", "") for one in journal if one["kind"] == "deviation"}
    for name, seconds, rinses in stays:
        if not set(RINSES[bench][name].split()) <= set(rinses):
            return f"after {name} it was in {rinses} only"
        if seconds < AT_LEAST_S or (seconds > AT_MOST_S and "dwell-long" not in told):
            return f"{seconds:.0f} s in {name}"
    words = [*LBL, "verify", "last"]
    return "the chain is broken" if subprocess.run(words, cwd=folder, **QUIET).returncode else ""


def exposed(
    ledger: list[dict[str, Any]], solutions: Mapping[str, str]
) -> list[tuple[str, float, list[str]]]:
    """(solution, seconds in all, vessels of the rinses after the last stay) of each deposition."""
    stays: list[tuple[str, float, list[str]]] = []
    for row in (row for row in ledger if row["kind"] == "exposure"):
        seconds = (row["end_s"] or row["start_s"]) - row["start_s"]
        if row["solution"] not in solutions:
            if stays:
                stays[-1][2].append(row["vessel"])
        elif stays and stays[-1][0] == row["solution"]:
            stays[-1] = (row["solution"], stays[-1][1] + seconds, [])
        else:
            stays.append((row["solution"], seconds, []))
    return stays


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(one) for one in text[: text.rfind("\n") + 1].splitlines()]


def campaign(kills: int, seed: int, at_once: int) -> Count:
    """Films until so many controllers have been killed, some at once: they mostly wait."""
    count, numbers, lock = Count(), iter(range(1 << 30)), threading.Lock()

    def work() -> None:
        while count.kills < kills:
            with lock:
                number = next(numbers)
            kind = KINDS[number % len(KINDS)]
            chance = random.Random(seed * 1_000_003 + number)
            try:
                with tempfile.TemporaryDirectory(prefix="lbl-kills-") as name:
                    wrong = film(kind, Path(name), chance, count, 1 + chance.randrange(KILLS_MAX))
            except Exception as error:  # whatever it is, it is told and counted
                wrong = f"{type(error).__name__}: {error}"
            count.films += 1
            if count.films % TOLD == 0:
                print(f"{count.films} films, {count.kills} kills", flush=True)
            if wrong:
                count.wrong.append(wrong)
                print(f"seed {seed} film {number} on {kind}: {wrong}", flush=True)

    workers = [threading.Thread(target=work) for _ in range(at_once)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    return count


def main() -> int:
    kills, seed, at_once = (int(word) for word in [*sys.argv[1:], "2000", "1", "2"][:3])
    began = time.monotonic()
    count = campaign(kills, seed, at_once)
    seconds = time.monotonic() - began
    print(
        f"real kills: {count.kills} controllers killed in {count.films} films,"
        f" {count.depositions} depositions, {len(count.wrong)} films not whole,"
        f" {seconds:.0f} s, {60 * count.kills / seconds:.1f} a minute (seed {seed})"
    )
    return 1 if count.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
