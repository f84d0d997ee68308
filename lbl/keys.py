"""Ed25519 keys (RFC 8032): read, made, signed with. What is signed, and whom to trust, is not here.

Pure, by the `cryptography` package, loaded only when a key is at hand. Must never show or log a
private key, and never write one.
"""

import hashlib
from dataclasses import dataclass, field

ID_DIGITS = 32  # 128 bits: a name for people and files; what is believed is the key itself


class NotAKey(ValueError):
    """A text is not an Ed25519 key in PEM form."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A private key in this process's memory (32 bytes, RFC 8032 seed)."""

    seed: bytes = field(repr=False)

    @property
    def public(self) -> str:
        """The public key, 64 hexadecimal digits."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """The signature, 128 hexadecimal digits."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message).hex()


def private_key(text: bytes) -> KeySigner:
    """A signer from an unencrypted PKCS 8 PEM file's content; raises NotAKey."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotAKey("no private key in PEM form, or one with a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NotAKey("the key is of another kind than Ed25519")
    return KeySigner(key.private_bytes_raw())


def public_key(text: bytes) -> str:
    """The 64 hexadecimal digits of a public key from its PEM file's content; raises NotAKey."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotAKey("no public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise NotAKey("the key is of another kind than Ed25519")
    return key.public_bytes_raw().hex()


def new_pair() -> tuple[bytes, bytes]:
    """A new key: its private half (PKCS 8 PEM, unencrypted) and its public half (PEM)."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key, pem = Ed25519PrivateKey.generate(), form.Encoding.PEM
    private = key.private_bytes(pem, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(pem, form.PublicFormat.SubjectPublicKeyInfo)
    return private, public


def public_pem(public: str) -> bytes:
    """The PEM file's content of a public key of 64 hexadecimal digits."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    return key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def key_id(public: str) -> str:
    """A short name of a public key: the first 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:ID_DIGITS]


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
