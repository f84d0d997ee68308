"""What a recipe says, apart from how it is written: a hash that comments and layout leave alone.

Pure. The order of keys, quotes, indentation, anchors and `1.0` for `1` change nothing; every value
does, a description and a unit included, and so does the order of the solutions: baths are given to
them in that order. Included files belong to it. Must never fill in a parameter or a default: the
hash is of what the author wrote.
"""

import hashlib
from typing import Any

import rfc8785

from lbl.errors import BadInput, Problem
from lbl.marked import Marked, load


def content_hash(marked: Marked) -> str:
    """SHA-256, 64 hexadecimal digits, of [data as written, names of the solutions] by RFC 8785.

    Raises BadInput `recipe-out-of-range` for a number that JSON cannot hold exactly.
    """
    data: Any = marked.data
    solutions = data.get("solutions") if isinstance(data, dict) else None
    order = list(solutions) if isinstance(solutions, dict) else []
    try:
        text = rfc8785.dumps([data, order])
    except rfc8785.CanonicalizationError as error:
        sentence = f"a number cannot be kept exactly: {error}"
        remedy = "whole numbers go up to 9007199254740991"
        raise BadInput(Problem("recipe-out-of-range", sentence, marked.place(), remedy)) from None
    return hashlib.sha256(text).hexdigest()


def content_of(text: str) -> str:
    """The content hash of a recipe in one text; raises BadInput when it is not YAML."""
    return content_hash(load(text.removeprefix("\ufeff"), "recipe"))
