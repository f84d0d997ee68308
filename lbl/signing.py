"""The door to signatures: sign a recipe, demand a trusted signature of one. Must never print."""

import getpass
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lbl.errors import BadInput, Problem, short
from lbl.keys import key_id
from lbl.plan.loader import read_recipe
from lbl.shipped import find
from lbl.signature import SUFFIX, Claim, Signature, from_text, signed
from lbl.trust import (
    Trusted,
    default_folder,
    make_key,
    read_key,
    read_signature,
    trusted,
    write_signature,
)

AGAIN = "let somebody look at it and sign it again"


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A recipe that a trusted person has signed; `same_bytes` is false for another layout."""

    signature: Signature
    signer: Trusted
    same_bytes: bool

    def facts(self) -> dict[str, Any]:
        """What journal and record keep: whose key by our own list, and what the signer states."""
        return {
            "name": self.signer.name,
            "key": self.signer.id,
            "public": self.signer.public,
            "by": self.signature.claim.by,
            "utc": self.signature.claim.utc,
            "same_bytes": self.same_bytes,
        }

    def __str__(self) -> str:
        """Return one sentence for people."""
        claim = self.signature.claim
        layout = "" if self.same_bytes else "; its comments or layout have changed since"
        return (
            f"{claim.recipe} {claim.version}, content {claim.content[:12]}, was signed by "
            f"{self.signer.name} ({claim.by}) at {claim.utc}, key {self.signer.id}{layout}"
        )


def new_key(path: Path) -> str:
    """Make a key; returns a sentence. Raises BadInput `sign-key-exists`, `sign-unwritable`."""
    public = make_key(path)
    return f"key {key_id(public)}: keep {path} to yourself, give {path}.pub to those who trust you"


def sign(recipe: str, key: Path, by: str) -> dict[str, Any]:
    """Sign a recipe that is right in itself; its signature lies beside it.

    Returns the keys `file` and those of a claim. Raises BadInput for a wrong recipe or key.
    """
    from lbl.run.clock import stamp_now

    path = find(recipe, "recipes", "recipe")
    made, signer = read_recipe(path), read_key(key)
    claim = Claim(
        recipe=made.name,
        version=made.version,
        content=made.content,
        bytes=_digest(path.read_bytes()),
        by=by or getpass.getuser(),
        utc=stamp_now(),
        key=key_id(signer.public),
    )
    beside = signature_path(path)
    write_signature(beside, signed(claim, signer).text())
    return {
        "file": str(beside),
        "recipe": claim.recipe,
        "version": claim.version,
        "content": claim.content,
        "by": claim.by,
        "utc": claim.utc,
        "key": claim.key,
    }


def signature_path(recipe: Path) -> Path:
    """Where the signature of a recipe lies: beside it, RECIPE.sig."""
    return recipe.with_name(recipe.name + SUFFIX)


def checked(recipe: str, sets: Mapping[str, str], folder: Path | None) -> Endorsed:
    """Demand a trusted signature of a recipe; see `demand`."""
    path = find(recipe, "recipes", "recipe")
    return demand(path, read_recipe(path).content, path.read_bytes(), sets, folder)


def demand(
    recipe: Path, content: str, data: bytes, sets: Mapping[str, str], folder: Path | None
) -> Endorsed:
    """Demand that somebody trusted signed exactly this content, as hashed by `lbl.plan.content`.

    Raises BadInput `signature-missing`, `signature-damaged`, `signature-altered` (also for values
    given beside the recipe), `signature-untrusted` or `signature-false`.
    """
    if sets:
        sentence = (
            f"'{short(next(iter(sets)))}' is changed beside the recipe, and nobody signed that"
        )
        raise BadInput(
            Problem("signature-altered", sentence, "--set", "write it into the recipe and sign it")
        )
    path = signature_path(recipe)
    signature = from_text(read_signature(path), str(path))
    signer = _signer(signature, str(path), folder if folder is not None else default_folder())
    if signature.claim.content != content:
        claim = signature.claim
        sentence = (
            f"the recipe is not what {signer.name} signed at {claim.utc}: "
            f"its content is {content[:12]}, and {claim.content[:12]} was signed"
        )
        raise BadInput(Problem("signature-altered", sentence, str(recipe), AGAIN))
    return Endorsed(signature, signer, signature.claim.bytes == _digest(data))


def _signer(signature: Signature, place: str, folder: Path) -> Trusted:
    claim = signature.claim
    signer = next((one for one in trusted(folder) if one.id == claim.key), None)
    if signer is None:
        sentence = f"key {claim.key} (says it is of {short(claim.by)}) is not trusted here"
        remedy = f"if it should be: lbl trust add KEY.pub --name NAME (keys in {folder})"
        raise BadInput(Problem("signature-untrusted", sentence, place, remedy))
    if not signature.made_with(signer.public):
        sentence = f"the signature was not made with the key of {signer.name}, or was changed since"
        raise BadInput(Problem("signature-false", sentence, place, AGAIN))
    return signer


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
