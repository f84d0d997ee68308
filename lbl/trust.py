"""Key files, signature files, and the folder of the public keys that somebody trusts.

A trusted key is one PEM file, `NAME.pub`: the folder can be read, copied and laid out by hand. Must
never take a key into that folder by itself, and never leave a private key that others may read.
"""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lbl.errors import BadInput, Problem, short
from lbl.keys import KeySigner, NotAKey, key_id, new_pair, private_key, public_key, public_pem
from lbl.signature import MAX_BYTES

PRIVATE_MODE: Final = 0o600
PUBLIC_MODE: Final = 0o644
FOLDER_MODE: Final = 0o700
OTHERS: Final = 0o077  # group and all may do nothing with a private key
ANYBODY_WRITES: Final = 0o002
PUBLIC: Final = ".pub"
_NAME: Final = re.compile(r"[^\W_](?:[\w .@-]{0,62}[\w-])?")


@dataclass(frozen=True, slots=True)
class Trusted:
    """A public key (64 hexadecimal digits), its short id, and whose it is here."""

    name: str
    id: str
    public: str


def default_folder() -> Path:
    """Where trusted keys lie unless somebody says otherwise; raises BadInput `trust-folder`."""
    try:
        return Path.home() / ".config" / "lbl" / "trust"
    except RuntimeError:
        sentence = "this account has no home folder"
        raise BadInput(Problem("trust-folder", sentence, remedy="say --trust DIR")) from None


def trusted(folder: Path) -> list[Trusted]:
    """The keys of a folder by name; a folder that is not there trusts nobody.

    Raises BadInput `trust-folder` for one that cannot be read or that anybody may write to, and
    `trust-key` for a file that holds no key: what cannot be understood trusts nobody either.
    """
    try:
        if not folder.exists():
            return []
        _closed_to_others(folder)
        files = sorted(path for path in folder.iterdir() if path.suffix == PUBLIC)
        for path in files:
            _closed_to_others(path)
        return [_trusted(path) for path in files]
    except OSError as error:
        raise _folder(folder, f"cannot be read: {error.strerror}") from None


def trust(folder: Path, key: Path, name: str) -> Trusted:
    """Take a public key into the folder under a name.

    Raises BadInput `trust-key`, or `trust-name` for a name or key that stands there already.
    """
    if not _NAME.fullmatch(name):
        remedy = "letters, digits, spaces and _ . @ -, 64 at most"
        raise BadInput(Problem("trust-name", f"'{short(name)}' is no name", "--name", remedy))
    public = _public(key)
    for one in trusted(folder):
        if one.name.casefold() == name.casefold() or one.public == public:
            sentence = f"{one.name} is trusted already, with key {one.id}"
            remedy = f"lbl trust remove '{one.name}' first"
            raise BadInput(Problem("trust-name", sentence, str(folder), remedy))
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _write(folder / f"{name}{PUBLIC}", public_pem(public), PUBLIC_MODE)
    except OSError as error:
        raise _folder(folder, f"cannot be written: {error.strerror}") from None
    return Trusted(name, key_id(public), public)


def distrust(folder: Path, name: str) -> Trusted:
    """Remove a key by its name or id; raises BadInput `trust-name` when there is none."""
    for one in trusted(folder):
        if name in (one.name, one.id):
            try:
                (folder / f"{one.name}{PUBLIC}").unlink()
            except OSError as error:
                raise _folder(folder, f"cannot be written: {error.strerror}") from None
            return one
    sentence = f"no trusted key is called '{short(name)}'"
    raise BadInput(Problem("trust-name", sentence, str(folder), "lbl trust list shows them"))


def make_key(path: Path) -> str:
    """Write a new key, PATH for its owner alone and PATH.pub for others; returns the public one.

    Raises BadInput `sign-key-exists` rather than replace anything, `sign-unwritable`.
    """
    private, public = new_pair()
    beside = path.with_name(path.name + PUBLIC)
    made: list[Path] = []
    try:
        for target, text, mode in ((path, private, PRIVATE_MODE), (beside, public, PUBLIC_MODE)):
            _write(target, text, mode)
            made.append(target)
    except OSError as error:
        for target in made:
            target.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            sentence, remedy = "a file of this name is there already", "name another file"
            raise BadInput(
                Problem("sign-key-exists", sentence, str(error.filename), remedy)
            ) from None
        raise _unwritable(path, error) from None
    return public_key(public)


def read_key(path: Path) -> KeySigner:
    """The private key of a file; raises BadInput `sign-key`, also when others may read it."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(MAX_BYTES)
    except OSError as error:
        sentence = f"the key cannot be read: {error.strerror}"
        raise BadInput(Problem("sign-key", sentence, str(path))) from None
    if mode & OTHERS:
        sentence = f"others may use this key (mode {mode & 0o777:04o})"
        raise BadInput(Problem("sign-key", sentence, str(path), f"chmod 600 {path}"))
    try:
        return private_key(text)
    except NotAKey as error:
        remedy = "make one with lbl sign --new-key FILE"
        raise BadInput(Problem("sign-key", str(error), str(path), remedy)) from None


def write_signature(path: Path, text: str) -> None:
    """Write a signature file whole, or leave the old one; raises BadInput `sign-unwritable`."""
    draft = path.with_name(path.name + ".draft")
    try:
        draft.unlink(missing_ok=True)
        _write(draft, text.encode(), PUBLIC_MODE)
        os.replace(draft, path)
    except OSError as error:
        raise _unwritable(path, error) from None


def read_signature(path: Path) -> bytes:
    """The content of a signature file; raises BadInput `signature-missing`."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        sentence = f"the recipe has no signature that can be read: {error.strerror}"
        remedy = "let somebody sign it: lbl sign RECIPE --key FILE"
        raise BadInput(Problem("signature-missing", sentence, str(path), remedy)) from None


def _trusted(path: Path) -> Trusted:
    public = _public(path)
    return Trusted(path.stem, key_id(public), public)


def _public(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return public_key(file.read(MAX_BYTES))
    except OSError as error:
        sentence = f"the key cannot be read: {error.strerror}"
        raise BadInput(Problem("trust-key", sentence, str(path))) from None
    except NotAKey as error:
        remedy = "a public key ends in .pub; never give your private one away"
        raise BadInput(Problem("trust-key", str(error), str(path), remedy)) from None


def _closed_to_others(path: Path) -> None:
    if path.stat().st_mode & ANYBODY_WRITES:
        raise _folder(path, "may be written by anybody on this computer", f"chmod o-w {path}")


def _write(path: Path, data: bytes, mode: int) -> None:
    """Make a file that is not there yet, with its mode from the first byte on; or leave none."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _folder(path: Path, why: str, remedy: str = "") -> BadInput:
    return BadInput(Problem("trust-folder", f"the trusted keys' folder {why}", str(path), remedy))


def _unwritable(path: Path, error: OSError) -> BadInput:
    sentence = f"this file cannot be written: {error.strerror}"
    return BadInput(Problem("sign-unwritable", sentence, str(path)))
