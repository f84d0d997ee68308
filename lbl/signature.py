"""A detached signature of a recipe: who found which content good, and when; as text and back.

Pure. It says whether a signature is that of a key; whether the key is trusted is `trust.py`. Must
never take a key's word for whom it belongs to.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final

import rfc8785

from lbl.errors import BadInput, Problem, short
from lbl.keys import KeySigner, holds, key_id

FORMAT: Final = 1
SUFFIX: Final = ".sig"
MAX_BYTES: Final = 16 * 1024
MAX_WHO: Final = 128
_DOMAIN: Final = b"lbl recipe signature 1\n"  # so that no other text of ours can be passed off
# Each field that is signed, and what it must look like.
_FORMS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "recipe": re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"),
        "version": re.compile(r"[0-9A-Za-z.+-]{1,64}"),
        "content": re.compile(r"[0-9a-f]{64}"),
        "bytes": re.compile(r"[0-9a-f]{64}"),
        "by": re.compile(rf"[^\x00-\x1f\x7f]{{1,{MAX_WHO}}}"),
        "utc": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"),
        "key": re.compile(r"[0-9a-f]{32}"),
    }
)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is signed: recipe, version, the hashes of content and bytes, who, when, the key's id."""

    recipe: str
    version: str
    content: str
    bytes: str
    by: str
    utc: str
    key: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A claim, and the signature over it (128 hexadecimal digits)."""

    claim: Claim
    signature: str

    def made_with(self, public: str) -> bool:
        """Whether the private half of this public key (64 hexadecimal digits) made it."""
        return key_id(public) == self.claim.key and holds(
            public, self.signature, _message(self.claim)
        )

    def text(self) -> str:
        """The content of a signature file."""
        rows = {"lbl_signature": FORMAT, **asdict(self.claim), "signature": self.signature}
        return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def signed(claim: Claim, signer: KeySigner) -> Signature:
    """Sign a claim; raises BadInput `sign-who` for a name that a signature cannot carry."""
    if not _FORMS["by"].fullmatch(claim.by) or not claim.by.isprintable():
        sentence = f"'{short(claim.by)}' cannot be the name of who signs"
        raise BadInput(Problem("sign-who", sentence, "--by", f"1 to {MAX_WHO} letters"))
    return Signature(claim, signer.sign(_message(claim)))


def from_text(text: bytes, place: str) -> Signature:
    """Read a signature file's content; raises BadInput `signature-damaged`."""
    try:
        rows = json.loads(text[: MAX_BYTES + 1])
    except (ValueError, RecursionError):
        raise _damaged(place, "it is not JSON") from None
    if not isinstance(rows, dict):
        raise _damaged(place, "it is no JSON object")
    if rows.get("lbl_signature") != FORMAT or type(rows["lbl_signature"]) is not int:
        stated = short(rows.get("lbl_signature"))
        raise _damaged(place, f"its format is '{stated}', and this program knows {FORMAT}")
    for name, form in {**_FORMS, "signature": _SIGNATURE}.items():
        value = rows.get(name)
        if not isinstance(value, str) or not form.fullmatch(value) or not value.isprintable():
            raise _damaged(place, f"'{name}' is missing or not of its form")
    if unknown := rows.keys() - _FORMS.keys() - {"lbl_signature", "signature"}:
        raise _damaged(place, f"'{short(min(unknown))}' is not known here")
    return Signature(Claim(**{name: rows[name] for name in _FORMS}), rows["signature"])


def _message(claim: Claim) -> bytes:
    return _DOMAIN + rfc8785.dumps(asdict(claim))


def _damaged(place: str, why: str) -> BadInput:
    sentence = f"this is no signature of a recipe: {why}"
    return BadInput(Problem("signature-damaged", sentence, place, "sign the recipe again"))
