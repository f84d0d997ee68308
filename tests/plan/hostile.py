"""Recipes that mean harm: each with the code that refuses it and the place that is named.

A paragraph sign stands before the place, and is taken out. `python -m tests.plan.hostile` prints
what each costs, in processes of their own: one line of JSON with name, bytes, wall and processor s,
and MB. Must never hold what only a person could get wrong: those cases are beside what they test.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator

from lbl.errors import BadInput
from lbl.marked import MAX_BYTES
from lbl.nodes import MAX_NODES as MAX_VALUES
from lbl.plan.loader import read_recipe

BASE = """\
lbl: 1
name: film
version: 1.0.0
parameters: {dwell: 5 min}
substrate: {area: 2 cm^2}
solutions:
  A: {concentration: 1 mg/mL, pH: 9, charge: positive}
  water: {pH: 9, role: rinse}
procedure:
  - expose: {to: A, for: $dwell}
  - rinse: {with: water, for: 1 min}
  - park: {in: water}
"""
OWN = BASE.replace("parameters: {dwell: 5 min}\n", "").replace("$dwell", "5 min")
HEAD, TAIL = BASE.split("  - expose")[0], "  - park: {in: water}\n"
LAUGH = "a: &a [" + "x," * 9 + "x]\n" + "".join(
    f"{after}: &{after} [" + f"*{before}," * 9 + f"*{before}]\n"
    for before, after in zip("abcdefg", "bcdefgh", strict=True)
)  # fmt: skip
MERGE = "a: &a {x: 1}\n" + "".join(
    f"{after}: &{after} {{{'§' if before == 'a' else ''}<<: [*{before}, *{before}]}}\n"
    for before, after in zip("abcdefg", "bcdefgh", strict=True)
)  # fmt: skip

# name -> (what stands in BASE, what stands there instead, code); "" is the whole text
SMALL = {
    "a clock time": ("$dwell}", "§1:30}", "recipe-quantity"),
    "no": ("$dwell}", "§no}", "recipe-quantity"),
    "an octal number": ("$dwell}", "§010}", "recipe-unit-missing"),
    "a float that others read as text": ("pH: 9,", "pH: §1e3,", "recipe-out-of-range"),
    "more digits than a float": ("5 min}", "§" + "9" * 90 + " s}", "recipe-out-of-range"),
    "infinity": ("pH: 9,", "pH: §.inf,", "recipe-out-of-range"),
    "a number of 4000 digits": ("pH: 9,", "pH: §" + "9" * 3600 + ",", "recipe-wrong-type"),
    "digits of another script": ("$dwell}", "§٣ min}", "recipe-quantity"),
    "a number with underscores": ("$dwell}", "§1_0 min}", "recipe-quantity"),
    "an exponent": ("5 min}", "§1e999 s}", "recipe-quantity"),
    "units without end": ("5 min}", "§1 s" + "*s" * 40 + "}", "recipe-quantity"),
    "a doubled key": ("name: film", "name: film\n§name: film", "yaml-duplicate-key"),
    "a doubled solution": ("  water:", "  §A: {pH: 9}\n  water:", "yaml-duplicate-key"),
    "a tag": ("name: film", "name: §!!python/object/apply:os.system [id]", "yaml-tag"),
    "a merge key": ("water: {pH", "water: {§<<: {a: 1}, pH", "yaml-merge-key"),
    "a bomb of merge keys": ("", MERGE, "yaml-merge-key"),
    "a billion laughs": ("", LAUGH, "yaml-alias"),
    "an alias of itself": ("name: film", "name: &x [§*x]", "yaml-alias"),
    "aliases of much": (
        "procedure:",
        "x: &x [" + "a," * 99 + "a]\ny: [" + "*x, " * 10 + "§*x]\nprocedure:",
        "yaml-alias",
    ),
    "lists in lists": ("name: film", "name: " + "[" * 31 + "§[" + "[" * 968, "yaml-too-deep"),
    "mappings in mappings": ("", "{a: " * 32 + "§{a: " * 1 + "{a: " * 900, "yaml-too-deep"),
    "dashes": ("", "- " * 32 + "§" + "- " * 900, "yaml-too-deep"),
    "a key that is a list": ("", BASE + "? §[a]\n: 1\n", "yaml-key"),
    "a second recipe": ("", BASE + "§---\n" + BASE, "yaml-syntax"),
    "another YAML": ("", "%YAML 1.1\n§---\n" + BASE, "yaml-syntax"),
    "NUL": ("name: film", "name: fi§\0lm", "file-encoding"),
    "an escape sequence": ("name: film", "name: §\x1b[2Jfilm", "file-encoding"),
    "half a surrogate": ("name: film", "name: §\ud800", "file-encoding"),
    "text that runs backwards": ("name: film", "name: §'\u202efilm'", "recipe-wrong-word"),
    "a path as a name": ("name: film", "name: §../../etc/passwd", "recipe-wrong-word"),
    "a format string": ("to: A", "to: §'{0.__class__}%n'", "recipe-unknown-solution"),
    "a parameter of 3000 letters": ("$dwell", "§$" + "d" * 3000, "recipe-unknown-parameter"),
    "a parameter of itself": ("5 min", "§$dwell", "recipe-bad-parameter"),
    "a thousand wrong phases": ("  - park", "  - §{}\n" + "  - {}\n" * 400 + "  - park",
                                "recipe-phase-shape"),
    "a film without end": ("  - park", "  - {repeat: 100000, steps: [{repeat: 100000, steps: "
                           "[rinse: {with: water, for: 1 s}]}]}\n  - park", "recipe-too-long"),
    "a condition that calls": ("  - rinse", "  - when: §f(x)\n    rinse", "recipe-condition"),
    "a condition with a macro": (
        "  - rinse", "  - when: §'[1, 2].all(x, x > 0)'\n    rinse", "recipe-condition"),
    "a condition of many brackets": (
        "  - rinse", f"  - when: §{'(' * 999}1{')' * 999}\n    rinse", "recipe-out-of-range"),
    "a condition of many signs": (
        "  - rinse", f"  - when: §'{'!' * 999}true'\n    rinse", "recipe-out-of-range"),
    "a condition of many words": (
        "  - rinse", f"  - when: §{'true || ' * 400}true\n    rinse", "recipe-out-of-range"),
    "a condition with a large number": (
        "  - rinse", f"  - when: §bilayer > {'9' * 99}\n    rinse", "recipe-condition"),
    "a condition that divides by zero": (
        "  - rinse", "  - when: §1 / 0 > bilayer\n    rinse", "recipe-condition"),
    "an included text": ("  - park", "  - include: §other.yaml\n  - park", "recipe-include"),
    "only a tab": ("", "§\t", "yaml-syntax"),
    "an open quote": ("name: film", 'name: "film', "yaml-syntax"),
}  # fmt: skip


def _fill(line: str, values: float = 7, before: str = HEAD, after: str = TAIL) -> str:
    """As many lines as the caps on bytes and on values allow; the rest of the bytes are comment.

    `values` is how many a line holds, keys included; `{n}` in it is the line's number.
    """
    room = MAX_BYTES - len(before) - len(after) - 1
    number = min(room // (len(line) + 1), int((MAX_VALUES - 100) / values))
    free = room // number - len(line) - 8
    rest = " #" + "." * free if free > 0 else ""
    made = (f"{line.replace('{n}', str(n))}{rest}\n" for n in range(number))
    return before + "".join(made) + after


def _among(key: str, line: str, values: int, then: str) -> str:
    """Half of the values are lines below a key, the other half are phases."""
    number = MAX_VALUES // values // 2
    half = "".join(f"{line}\n".replace("{n}", str(n)) for n in range(number))
    head = HEAD.replace("parameters: {dwell: 5 min}", "parameters:\n  dwell: 5 min")
    return _fill(then, 15, head.replace(f"{key}\n", f"{key}\n{half}"))


LONG = MAX_BYTES - 1000
# name -> (text of 256 KB, code of the first problem)
LARGE = {
    "brackets": ("[" * MAX_BYTES, "yaml-too-deep"),
    "braces": ("{" * MAX_BYTES, "yaml-key"),
    "dashes": ("- " * (MAX_BYTES // 2), "yaml-too-deep"),
    "question marks": ("? " * (MAX_BYTES // 2), "yaml-key"),
    "exclamation marks": ("!" * MAX_BYTES, "yaml-tag"),
    "anchors": ("&a " * (MAX_BYTES // 3), "yaml-syntax"),
    "an open quote": ('"' + "\\" * (MAX_BYTES - 2), "yaml-syntax"),
    "escapes": (f'{BASE}form: "' + "\\x41" * (LONG // 4) + '"', "recipe-unknown-key"),
    "empty lines": ("\n" * MAX_BYTES, "recipe-not-mapping"),
    "one long word": (BASE.replace("film", "x" * LONG), "recipe-wrong-word"),
    "one long number": (BASE.replace("pH: 9,", f"pH: {'9' * LONG},", 1), "recipe-wrong-type"),
    "one long quantity": (BASE.replace("5 min", "9" * LONG + " s"), "recipe-quantity"),
    "one long parameter": (BASE.replace("$dwell", "$" + "d" * LONG), "recipe-unknown-parameter"),
    "a folded text": ("lbl: >\n" + " x\n\n" * (LONG // 4), "recipe-missing-key"),
    "doubled keys": (_fill("a: 1", 2, BASE, ""), "yaml-duplicate-key"),
    "unknown keys": (_fill("key{n}: [x]", 3, BASE, ""), "recipe-unknown-key"),
    "keys that are nearly known": (_fill("procedurf{n}: x", 2, BASE, ""), "recipe-unknown-key"),
    "too many values": (_fill("  - {a: 1}", 0.5), "yaml-too-many"),
    "empty phases": (_fill("  - {}", 1), "recipe-phase-shape"),
    "words for phases": (_fill("  - rinse", 1), "recipe-phase-shape"),
    "wrong options": (_fill("  - rinse: {wiht: water, for: 1 min}"), "recipe-missing-key"),
    "unknown solutions": (
        _fill("  - rinse: {with: wader{n}, for: 1 min}"), "recipe-unknown-solution"),
    "unknown parameters": (
        _fill("  - rinse: {with: water, for: $dwel{n}}"), "recipe-unknown-parameter"),
    "units of other kinds": (
        _fill("  - rinse: {with: water, for: {n} parsec}"), "recipe-quantity"),
    "phases in a wrong order": (_fill("  - measure: {absorbance: 570 nm}", 5), "recipe-order"),
    "solutions, and others asked for": (
        _among("solutions:", "  s{n}: {pH: 9, role: rinse}", 6,
               "  - rinse: {with: wader{n}, for: 1 min}"), "recipe-out-of-range"),
    "parameters, and others asked for": (
        _among("  dwell: 5 min", "  dwell{n}: 5", 2,
               "  - rinse: {with: water, for: $dwel{n}}"), "recipe-unknown-parameter"),
    "names that no parameter can have": (
        _fill("  p-{n}: 5", 2, OWN + "parameters:\n", ""), "recipe-bad-parameter"),
    "conditions, each another": (
        _fill("  - {rinse: {with: water, for: 1 min}, when: 'n{n} > 1'}", 9), "recipe-condition"),
    "conditions that can be asked": (
        _fill("  - {rinse: {with: water, for: 1 min}, when: 'bilayer > {n}'}", 9),
        "recipe-condition"),
    "overrides of rules that are none": (
        _fill("  - {rule: rule-{n}, by: Ada, reason: known}", 7, f"{BASE}overrides:\n", ""),
        "recipe-out-of-range"),
}  # fmt: skip
# What a good file of that size costs: as many values as are allowed, and comments.
GOOD = _fill("  - rinse: {with: water, for: 1 min}")


def small(name: str) -> tuple[str, str, str]:
    """The text of a small case, its code, and its place (line:col; "" is any)."""
    before, after, code = SMALL[name]
    text = BASE.replace(before, after, 1) if before else after
    head, sign, tail = text.partition("§")
    row, column = head.count("\n") + 1, len(head) - head.rfind("\n")
    return head + tail if sign else text, code, f"{row}:{column}" if sign else ""


def texts() -> dict[str, str]:
    """Every text by name, small ones first; the good ones are their measure."""
    made = {"a good recipe": BASE + "#" * 2500} | {name: small(name)[0] for name in SMALL}
    return made | {"a good large one": GOOD} | {f"256 KB: {key}": LARGE[key][0] for key in LARGE}


def cost(text: str) -> tuple[float, float, float]:
    """Wall s and processor s to read a text, and MB above what the process had."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    worked = time.process_time()
    try:
        read_recipe(text)
    except BadInput as error:
        str(error)
    spent, worked = time.perf_counter() - began, time.process_time() - worked
    extra = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return spent, worked, extra / 1024


def costs() -> Iterator[tuple[str, int, float, float, float]]:
    """Name, bytes, wall s, processor s and MB of each text, each in a process forked from this."""
    asks = BASE.replace("  - rinse", "  - when: bilayer == 0\n    rinse")
    for text in (asks, BASE.replace("5 min", "5 parsec")):  # what is only imported once is loaded
        cost(text)
    for name, text in texts().items():
        into, out = os.pipe()
        if not (child := os.fork()):
            os.write(out, json.dumps(cost(text)).encode())
            os._exit(0)
        os.close(out)
        with os.fdopen(into) as answer:
            spent, worked, extra = json.loads(answer.read())
        os.waitpid(child, 0)
        yield name, len(text.encode("utf-8", "surrogatepass")), spent, worked, extra


def main() -> None:
    for row in costs():
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
