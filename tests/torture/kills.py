"""Real processes killed at random, resumed, and judged by the world's own ledger.

A film is grown in virtual time by `lbl run`, killed with SIGKILL at a random instant (some of them
again while they resume), resumed to its end, and must be whole: every deposition once, in order,
for its dwell, rinsed; nothing collided. Seeded, so that a failure can be repeated.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

LBL = [sys.executable, "-m", "lbl.cli"]
BILAYERS = 60
DWELL_S = 600.0
DELAYS_S = (0.35, 1.3)  # from before the first record to after the last
AGAIN = 0.4  # how often a resumed run is killed as well
KILLS_MAX = 4  # of one film
AIR_S = 45.0


@dataclass
class Count:
    """What a campaign has done."""

    films: int = 0
    kills: int = 0
    depositions: int = 0
    failures: int = 0


def campaign(films: int, seed: int, bench: str) -> Count:
    """Grow and kill so many films on a bench; prints each failure with what repeats it."""
    count = Count()
    chance = random.Random(seed)
    for number in range(films):
        with tempfile.TemporaryDirectory() as folder:
            wrong = film(Path(folder), chance, count, bench)
        count.films += 1
        if wrong:
            count.failures += 1
            print(f"seed {seed} {bench} film {number}: {wrong}", flush=True)
    return count


def film(runs: Path, chance: random.Random, count: Count, bench: str) -> str:
    """One film to its end; "" or what is wrong with it."""
    sets = ["--set", f"bilayers={BILAYERS}"]
    start = ["run", "bacteriorhodopsin-200", "--bench", bench, *sets, "--runs", str(runs)]
    killed = kill(start, chance.uniform(*DELAYS_S))
    for _ in range(KILLS_MAX):
        count.kills += killed
        if not killed or not list(runs.glob("*/journal.jsonl")):
            break
        again = chance.random() < AGAIN
        delay = chance.uniform(*DELAYS_S) if again else 60.0
        killed = kill(["resume", "last", "--runs", str(runs)], delay)
    else:
        kill(["resume", "last", "--runs", str(runs)], 60.0)
    folders = list(runs.glob("*"))
    if not folders or not (folders[0] / "ledger.jsonl").is_file():
        return ""  # killed before anything was begun
    return judge(folders[0], count)


def kill(words: list[str], delay_s: float) -> bool:
    """Run `lbl` and kill it after a delay; False when it had ended by itself."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*LBL, *words], stdout=quiet, stderr=quiet) as child:
        try:
            child.wait(delay_s)
            return False
        except subprocess.TimeoutExpired:
            child.kill()
            return True


def judge(folder: Path, count: Count) -> str:
    """What the ledger says against the film; "" when it is whole."""
    rows = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    if any(row["kind"] == "collision" for row in rows):
        return "something collided"
    state = json.loads((folder / "journal.jsonl").read_text().splitlines()[-1])
    done = state["payload"].get("state", {}).get("depositions", -1)
    stays: list[tuple[str, float]] = []
    for row in rows:
        if row["kind"] == "exposure" and row["solution"] in ("PDAC", "BR"):
            seconds = row["end_s"] - row["start_s"]
            if stays and stays[-1][0] == row["solution"]:
                seconds += stays.pop()[1]
            stays.append((row["solution"], seconds))
    if [name for name, _ in stays] != ["PDAC", "BR"] * BILAYERS:
        return f"{len(stays)} exposures in the wrong order or number (journal: {done})"
    count.depositions += len(stays)
    wrong = [one for one in stays if not DWELL_S - 2.0 < one[1] < 2.0 * DWELL_S]
    if wrong:
        return f"dwells of {wrong[:3]}"
    dry = [row for row in rows if row["kind"] == "air" and row["end_s"] - row["start_s"] > AIR_S]
    return f"{len(dry)} stays in air were too long" if dry else ""


def main() -> int:
    films = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    bench = sys.argv[3] if len(sys.argv) > 3 else "dip"
    began = time.monotonic()
    count = campaign(films, seed, bench)
    print(
        f"kills on {bench}: {count.kills} in {count.films} films, {count.depositions} depositions, "
        f"{count.failures} films not whole, {time.monotonic() - began:.0f} s (seed {seed})"
    )
    return 1 if count.failures else 0


if __name__ == "__main__":
    sys.exit(main())
