"""`make torture`: the slow campaigns, one after the other; LBL_TORTURE scales them (1 is an hour).

Each is seeded and bounded, prints what it did and how far it got, and repeats alone by the command
it prints. The exit code is the number of campaigns that found something.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
SEED = int(os.environ.get("LBL_SEED", str(int(time.time()))))
SCALE = float(os.environ.get("LBL_TORTURE", "1"))
MINUTES = f"{max(0.1, 10 * SCALE):g}"  # of each campaign in virtual time


def campaigns() -> list[tuple[str, list[str], dict[str, str]]]:
    """(what, words, environment) of each campaign."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    exchanges = str(int(500_000 * SCALE))
    films = str(max(1, int(350 * SCALE)))
    kills = [sys.executable, str(HERE / "kills.py"), films]
    found = [
        (
            f"two threads on one wire, 2 x {exchanges} exchanges",
            [*pytest, "tests/ext/test_wire.py", "-k", "owned_wire"],
            {"LBL_EXCHANGES": exchanges},
        ),
        *(
            (f"{films} films on {bench} killed and resumed", [*kills, str(SEED), bench], {})
            for bench in ("dip", "flow")
        ),
    ]
    found += simulated()
    frames = str(int(5_000_000 * SCALE))
    recipes = str(int(1_000_000 * SCALE))
    found += [
        (
            f"{recipes} mutated recipes",
            [sys.executable, "-m", "tests.torture.recipes", recipes, str(SEED)],
            {},
        ),
        (f"{frames} mutated frames", [sys.executable, "-m", "tests.torture.frames", frames], {}),
        ("hours of lease at scaled time", [sys.executable, str(HERE / "soak.py")], {}),
    ]
    return found


def simulated() -> list[tuple[str, list[str], dict[str, str]]]:
    """Campaigns on what a run stands on: everything that strikes it, its disk, its process."""
    python = [sys.executable, "-m"]
    faults, damaged = (str(int(number * SCALE)) for number in (20_000, 100_000))
    kills, cuts = (str(max(1, int(number * SCALE))) for number in (2000, 1000))
    step = str(max(1, round(1 / SCALE)))
    films = [("demo", "10"), ("demo", "25"), ("bacteriorhodopsin-200", "25")]
    found = [
        (
            f"{faults} faults of {bilayers} bilayers of {recipe} on {bench}",
            [*python, "lbl.cli", "torture", recipe, "--bench", bench, "--faults", faults]
            + ["--set", f"bilayers={bilayers}", "--seed", str(SEED), "--minutes", MINUTES],
            {},
        )
        for recipe, bilayers in films
        for bench in ("dip", "flow")
    ]
    words = [*python, "tests.torture.points", step]
    found.append((f"crash points of a short film, every {step}", words, {}))
    words = [*python, "tests.torture.real_kills", kills, str(SEED)]
    found.append((f"{kills} controllers killed against served benches", words, {}))
    words = [*python, "tests.torture.power_cuts", cuts, str(SEED)]
    found.append((f"{cuts} power cuts on ext4", words, {}))
    words = [*python, "tests.torture.damage", damaged, str(SEED)]
    found.append((f"{damaged} corruptions of run folders", words, {}))
    return found


def main() -> int:
    failed = 0
    for what, words, environment in campaigns():
        print(f"== {what}\n   {' '.join(words)}", flush=True)
        done = subprocess.run(words, env={**os.environ, **environment}, check=False)
        failed += done.returncode != 0
    print(f"{failed} campaigns found something")
    return failed


if __name__ == "__main__":
    sys.exit(main())
