"""Ed25519 seals on checkpoints: a chain alone can be rebuilt by whoever owns the disk.

The key belongs somewhere the run's account cannot export it from; this file only uses it. It must
never trust a public key that it found in the journal itself. Ed25519 is RFC 8032.
"""

from typing import Protocol

from lbl.errors import BadInput, Problem
from lbl.keys import KeySigner, NotAKey, holds, private_key

__all__ = ["KeySigner", "Signer", "holds", "message", "signer_from_pem"]


class Signer(Protocol):
    """Whoever holds the private key."""

    @property
    def public(self) -> str:
        """The public key, 64 hexadecimal digits."""

    def sign(self, message: bytes) -> str:
        """The signature, 128 hexadecimal digits."""


def signer_from_pem(text: bytes, place: str = "") -> KeySigner:
    """A signer from an unencrypted PKCS 8 PEM file's content.

    Raises BadInput `seal-key` when it is not an Ed25519 private key.
    """
    try:
        return private_key(text)
    except NotAKey as error:
        raise BadInput(
            Problem(
                "seal-key",
                "the key that signs checkpoints is not an unencrypted Ed25519 private key in PEM "
                "form",
                place,
                "make one with: openssl genpkey -algorithm ed25519",
            )
        ) from error


def message(prev: str, seq: int, state_digest: str) -> bytes:
    """What a seal covers: the chain up to `prev`, the place in it, the folded state."""
    return f"lbl checkpoint 1\n{prev}\n{seq}\n{state_digest}\n".encode("ascii")
