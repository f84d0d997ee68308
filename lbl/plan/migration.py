"""Recipes of older formats, brought to the format of today in memory; newer ones are refused.

The table has one row a format that was: its number, and the function that turns its data into that
of the next. A file is never written. Must never guess at a format that it has no row for.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from lbl.errors import BadInput, Problem
from lbl.plan.recipe import LANGUAGE

Data = Mapping[str, Any]
Migration = Callable[[Data], Data]

# Format n -> what makes format n + 1 of it. Format 1 is the first, so that there is no row yet.
MIGRATIONS: Final[Mapping[int, Migration]] = MappingProxyType({})


def migrated(
    data: Data,
    place: str,
    table: Mapping[int, Migration] = MIGRATIONS,
    language: int = LANGUAGE,
) -> Data:
    """Return a recipe's plain data in format `language`; `place` is where it states its own.

    Raises BadInput `recipe-language` for a newer format, before anything else in it is judged. A
    format without a row, or none at all, is left for the recipe's own check.
    """
    stated = data.get("lbl")
    if not isinstance(stated, int) or isinstance(stated, bool):
        return data
    if stated > language:
        sentence = (
            f"the recipe language is {language}, and this asks for '{stated}', which is newer"
        )
        raise BadInput(Problem("recipe-language", sentence, place, "use a later version of lbl"))
    while stated < language and stated in table:
        stated, data = stated + 1, table[stated](data)
        data = {**data, "lbl": stated}
    return data
