"""Finds a recipe or bench: a file, or the name of one that ships. Must never read what it finds."""

from importlib import resources
from pathlib import Path

from lbl.errors import BadInput, Problem, short
from lbl.marked import suggest


def names(package: str) -> list[str]:
    """Names of the YAML files that ship in a package."""
    found = (Path(entry.name) for entry in resources.files(package).iterdir())
    return sorted(path.stem for path in found if path.suffix == ".yaml")


def find(given: str, package: str, what: str) -> Path:
    """The file for what somebody typed; `what` is recipe or bench.

    Raises BadInput `recipe-unknown` or `bench-unknown`, with the nearest name.
    """
    try:
        if Path(given).is_file():
            return Path(given)
    except (OSError, ValueError):  # a name too long, or with a NUL: no file
        pass
    known = names(package)
    name = given.removesuffix(".yaml")
    if name in known:
        return Path(str(resources.files(package).joinpath(f"{name}.yaml")))
    sentence = f"there is no {what} '{short(given)}', neither a file nor one that ships"
    remedy = suggest(name, known) or f"those that ship: {', '.join(known)}"
    raise BadInput(Problem(f"{what}-unknown", sentence, remedy=remedy))
