"""Rows of the exposure ledger: what truly happened to the substrate, in simulated seconds.

The ledger is only appended to. It knows nothing of plans or journals: tests hold it against
them. Times are seconds since the world's start.
"""

SUBSTRATE = 1

Row = dict[str, object]


def exposure(solution: str, vessel: str, start_s: float, end_s: float | None) -> Row:
    """Return the row of one immersion; `end_s` is None while it lasts."""
    return {
        "kind": "exposure",
        "substrate": SUBSTRATE,
        "solution": solution,
        "vessel": vessel,
        "start_s": start_s,
        "end_s": end_s,
    }


def air(left: str, entered: str, start_s: float, end_s: float, dried: bool) -> Row:
    """Return the row of the time in air between two immersions, and whether the film dried."""
    return {
        "kind": "air",
        "substrate": SUBSTRATE,
        "left": left,
        "entered": entered,
        "start_s": start_s,
        "end_s": end_s,
        "dried": dried,
    }


def collision(cause: str, at_s: float, z: float, x: float) -> Row:
    """Return the row of a move that would break something: `cause` says which."""
    return {
        "kind": "collision",
        "substrate": SUBSTRATE,
        "cause": cause,
        "at_s": at_s,
        "z": z,
        "x": x,
    }


def mishap(kind: str, place: str, at_s: float, argument: float, lasts_s: float | None) -> Row:
    """Return the row of what befell the world; `lasts_s` None: for good, or over at once."""
    return {
        "kind": "mishap",
        "what": kind,
        "place": place,
        "at_s": at_s,
        "argument": argument,
        "lasts_s": lasts_s,
    }


def boiling(at_s: float) -> Row:
    """Return the row of the baths beginning to boil."""
    return {"kind": "boiling", "at_s": at_s}


def liquid(kind: str, vessel: str, at_s: float, millilitres: float) -> Row:
    """Return the row of an `overflow` or of an `empty` bottle or bath."""
    return {"kind": kind, "vessel": vessel, "at_s": at_s, "ml": millilitres}
