"""Sealed checkpoints: made with a key, checked against a key from outside."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lbl.errors import BadInput
from lbl.journal.audit import verify
from lbl.journal.seal import KeySigner, holds, signer_from_pem

FORM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.usefixtures("often")
def test_checkpoints_are_sealed_and_checked(kit: Any) -> None:
    disk = kit.Disk()
    signer = KeySigner(bytes(range(32)))
    journal = kit.begin(disk, signer=signer)
    player = kit.Player(journal)
    for choice in (0, 1, 2, 3, 4, 7) * 3:
        player.act(choice)
    report = verify(disk, "r1", signer.public)
    assert report.ok
    assert report.sealed == report.checkpoints > 1
    assert verify(disk, "r1").ok
    other = KeySigner(bytes(32))
    wrong = verify(disk, "r1", other.public)
    assert not wrong.ok
    assert "not sealed with the expected key" in wrong.text()
    again = kit.reopen(disk, signer=signer)
    again.checkpoint()
    assert verify(disk, "r1", signer.public).ok
    kit.reopen(disk).checkpoint()
    assert not verify(disk, "r1", signer.public).ok  # one without a seal


def test_a_rebuilt_chain_does_not_carry_the_seal(kit: Any) -> None:
    disk = kit.Disk()
    forger = KeySigner(bytes(32))
    kit.begin(disk, signer=forger).checkpoint()
    assert verify(disk, "r1", forger.public).ok
    assert not verify(disk, "r1", KeySigner(bytes(range(32))).public).ok


def test_keys_from_pem() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    signer = signer_from_pem(key.private_bytes(*FORM))
    assert signer.public == key.public_key().public_bytes_raw().hex()
    assert holds(signer.public, signer.sign(b"text"), b"text")
    assert not holds(signer.public, signer.sign(b"text"), b"other")
    assert not holds("zz", "zz", b"text")
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(*FORM)
    for text in (b"", b"junk", curve):
        with pytest.raises(BadInput, match="seal-key"):
            signer_from_pem(text, "key.pem")
