"""Ed25519 seals on checkpoints: a chain alone can be rebuilt by whoever owns the disk.

The key belongs somewhere the run's account cannot export it from; this file only uses it. It must
never trust a public key that it found in the journal itself. Ed25519 is RFC 8032.
"""

from dataclasses import dataclass
from typing import Protocol

from lbl.errors import BadInput, Problem


class Signer(Protocol):
    """Whoever holds the private key."""

    @property
    def public(self) -> str:
        """The public key, 64 hexadecimal digits."""

    def sign(self, message: bytes) -> str:
        """The signature, 128 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A private key in this process's memory (32 bytes, RFC 8032 seed)."""

    seed: bytes

    @property
    def public(self) -> str:
        """The public key, 64 hexadecimal digits."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """The signature, 128 hexadecimal digits."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message).hex()


def signer_from_pem(text: bytes, place: str = "") -> KeySigner:
    """A signer from an unencrypted PKCS 8 PEM file's content.

    Raises BadInput `seal-key` when it is not an Ed25519 private key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError) as error:
        raise _bad_key(place) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad_key(place)
    return KeySigner(key.private_bytes_raw())


def message(prev: str, seq: int, state_digest: str) -> bytes:
    """What a seal covers: the chain up to `prev`, the place in it, the folded state."""
    return f"lbl checkpoint 1\n{prev}\n{seq}\n{state_digest}\n".encode("ascii")


def holds(public: str, signature: str, text: bytes) -> bool:
    """True when `signature` over `text` was made with the private half of `public` (hex both)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bad_key(place: str) -> BadInput:
    return BadInput(
        Problem(
            "seal-key",
            "the key that signs checkpoints is not an unencrypted Ed25519 private key in PEM form",
            place,
            "make one with: openssl genpkey -algorithm ed25519",
        )
    )
