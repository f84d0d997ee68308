"""Signed recipes: who found which content good, whom this bench trusts, what a run keeps of it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from lbl import runs as past
from lbl.app import Order, prepare, resume
from lbl.errors import BadInput, Fault
from lbl.keys import holds
from lbl.run.news import News
from lbl.signing import checked, new_key, sign
from lbl.trust import distrust, trust, trusted

RECIPE = """\
lbl: 1
name: film
version: 1.2.0
parameters: {dwell: 60 s}
substrate: {area: 2 cm^2}
solutions:
  PDAC: {concentration: 1 mg/mL, pH: 9.0, charge: positive}
  buffer: {pH: 9.0, role: rinse}
procedure:
  - expose: {to: PDAC, for: $dwell}
  - rinse: {with: buffer, for: 60 s, at_least: 3}
  - park: {in: buffer}
"""


class Desk:
    """A folder with a recipe signed by Anna, whose key is trusted there."""

    def __init__(self, path: Path) -> None:
        self.recipe, self.key, self.trust = path / "film.yaml", path / "anna", path / "trust"
        self.runs, self.signature = path / "runs", path / "film.yaml.sig"
        self.recipe.write_text(RECIPE, encoding="utf-8")
        new_key(self.key)
        trust(self.trust, path / "anna.pub", "Anna")
        self.facts = sign(str(self.recipe), self.key, "anna@lab")

    def refused(self) -> str:
        """The code with which the recipe is refused, by the check and by a run alike."""
        codes = []
        calls: tuple[Callable[[], object], ...] = (
            lambda: checked(str(self.recipe), {}, self.trust),
            lambda: prepare(self.order()),
        )
        for call in calls:
            with pytest.raises(BadInput) as caught:
                call()
            codes += [problem.code for problem in caught.value.problems]
        assert codes[0] == codes[-1]
        return codes[0]

    def order(self, **sets: str) -> Order:
        return Order(
            recipe=str(self.recipe), sets=sets, runs=self.runs, signed=True, trust=self.trust
        )

    def edit(self, old: str, new: str) -> None:
        text = self.recipe.read_text(encoding="utf-8")
        assert old in text
        self.recipe.write_text(text.replace(old, new), encoding="utf-8")

    def claim(self, **changes: object) -> None:
        rows = {**json.loads(self.signature.read_text(encoding="utf-8")), **changes}
        self.signature.write_text(json.dumps(rows), encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_signed_recipe_is_taken_and_says_by_whom(desk: Desk) -> None:
    endorsed = checked(str(desk.recipe), {}, desk.trust)
    assert endorsed.same_bytes
    assert "film 1.2.0" in str(endorsed)
    assert "Anna (anna@lab)" in str(endorsed)
    assert endorsed.signature.claim.content == desk.facts["content"]


def test_the_signature_is_ed25519_over_every_field(desk: Desk) -> None:
    public = trusted(desk.trust)[0].public
    rows = json.loads(desk.signature.read_text(encoding="utf-8"))
    fields = {key: rows[key] for key in rows if key not in ("lbl_signature", "signature")}
    said = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    assert holds(public, rows["signature"], b"lbl recipe signature 1\n" + said)


def test_comments_and_layout_may_change_and_it_is_said(desk: Desk) -> None:
    desk.edit("parameters:", "# reviewed on Monday\nparameters:")
    endorsed = checked(str(desk.recipe), {}, desk.trust)
    assert not endorsed.same_bytes
    assert "layout have changed" in str(endorsed)


@pytest.mark.parametrize(
    ("old", "new"),
    [("60 s}\nsub", "61 s}\nsub"), ("1.2.0", "1.2.1"), ("at_least: 3", "at_least: 2")],
)
@pytest.mark.fault("A15")
def test_an_altered_recipe_is_refused(desk: Desk, old: str, new: str) -> None:
    desk.edit(old, new)
    assert desk.refused() == "signature-altered"


def test_a_value_beside_the_recipe_is_not_signed(desk: Desk) -> None:
    for call in (
        lambda: checked(str(desk.recipe), {"dwell": "90 s"}, desk.trust),
        lambda: prepare(desk.order(dwell="90 s")),
    ):
        with pytest.raises(BadInput, match="signature-altered"):
            call()


def test_an_unsigned_recipe_is_refused_only_when_a_signature_is_demanded(desk: Desk) -> None:
    desk.signature.unlink()
    assert desk.refused() == "signature-missing"
    prepare(Order(recipe=str(desk.recipe), runs=desk.runs))


def test_a_key_that_is_not_trusted_is_refused(desk: Desk, tmp_path: Path) -> None:
    new_key(tmp_path / "eve")
    sign(str(desk.recipe), tmp_path / "eve", "anna@lab")
    assert desk.refused() == "signature-untrusted"
    trust(desk.trust, tmp_path / "eve.pub", "Eve")
    assert checked(str(desk.recipe), {}, desk.trust).signer.name == "Eve"
    distrust(desk.trust, "Eve")
    assert desk.refused() == "signature-untrusted"


def test_without_a_folder_nobody_is_trusted(desk: Desk) -> None:
    desk.trust = desk.trust / "nowhere"
    assert desk.refused() == "signature-untrusted"


@pytest.mark.parametrize(
    "changes",
    [
        {"by": "somebody else"},
        {"utc": "2020-01-01T00:00:00.000Z"},
        {"bytes": "0" * 64},
        {"content": "0" * 64},
        {"signature": "0" * 128},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_changed_signature_is_false(desk: Desk, changes: dict[str, str]) -> None:
    desk.claim(**changes)
    assert desk.refused() == "signature-false"


def test_another_recipes_content_cannot_be_put_under_a_signature(desk: Desk) -> None:
    desk.edit("60 s}\nsub", "61 s}\nsub")
    other = checked_content(desk)
    desk.claim(content=other)
    assert desk.refused() == "signature-false"


def checked_content(desk: Desk) -> str:
    from lbl.plan.content import content_of

    return content_of(desk.recipe.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "changes",
    [
        {"lbl_signature": 2},
        {"lbl_signature": True},
        {"content": "short"},
        {"key": None},
        {"by": "a\x1b[2Jb"},
        {"by": "\ud800"},
        {"extra": "word"},
    ],
)
@pytest.mark.fault("A15")
def test_what_is_no_signature_is_refused(desk: Desk, changes: dict[str, object]) -> None:
    desk.claim(**changes)
    assert desk.refused() == "signature-damaged"


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 9000, "\x00", "x" * 70_000, '{"a": 1e999}'])
def test_rubbish_is_no_signature(desk: Desk, text: str) -> None:
    desk.signature.write_text(text, encoding="utf-8")
    assert desk.refused() == "signature-damaged"


# --- keys and whom to trust ----------------------------------------------------------------------


def test_a_new_key_is_for_its_owner_alone_and_replaces_nothing(desk: Desk, tmp_path: Path) -> None:
    assert desk.key.stat().st_mode & 0o777 == 0o600
    before = desk.key.read_bytes(), (tmp_path / "anna.pub").read_bytes()
    with pytest.raises(BadInput, match="sign-key-exists"):
        new_key(desk.key)
    assert (desk.key.read_bytes(), (tmp_path / "anna.pub").read_bytes()) == before
    (tmp_path / "ben.pub").write_text("taken", encoding="utf-8")
    with pytest.raises(BadInput, match="sign-key-exists"):
        new_key(tmp_path / "ben")
    assert not (tmp_path / "ben").exists()
    with pytest.raises(BadInput, match="sign-unwritable"):
        new_key(tmp_path / "nowhere" / "ben")


def test_a_key_that_others_may_use_signs_nothing(desk: Desk) -> None:
    desk.key.chmod(0o640)
    with pytest.raises(BadInput, match="mode 0640"):
        sign(str(desk.recipe), desk.key, "")


def test_only_an_open_ed25519_key_signs(desk: Desk, tmp_path: Path) -> None:
    pem, form = Encoding.PEM, PrivateFormat.PKCS8
    curve = ec.generate_private_key(ec.SECP256R1())
    own = load_pem_private_key(desk.key.read_bytes(), password=None)
    for text in (
        b"",
        b"junk",
        (tmp_path / "anna.pub").read_bytes(),
        curve.private_bytes(pem, form, NoEncryption()),
        own.private_bytes(pem, form, BestAvailableEncryption(b"secret")),
    ):
        bad = tmp_path / "bad"
        bad.write_bytes(text)
        bad.chmod(0o600)
        with pytest.raises(BadInput, match=r"\[sign-key\]"):
            sign(str(desk.recipe), bad, "")
    with pytest.raises(BadInput, match=r"\[sign-key\]"):
        sign(str(desk.recipe), tmp_path / "none", "")


@pytest.mark.parametrize("who", ["a\nb", "x" * 129, "\x7f"])
def test_a_name_that_breaks_a_line_signs_nothing(desk: Desk, who: str) -> None:
    before = desk.signature.read_bytes()
    with pytest.raises(BadInput, match="sign-who"):
        sign(str(desk.recipe), desk.key, who)
    assert desk.signature.read_bytes() == before


def test_a_wrong_recipe_is_not_signed(desk: Desk) -> None:
    desk.edit("for: $dwell", "for: 1")
    desk.signature.unlink()
    with pytest.raises(BadInput, match="recipe-unit-missing"):
        sign(str(desk.recipe), desk.key, "")
    assert not desk.signature.exists()


def test_a_name_and_a_key_are_trusted_once(desk: Desk, tmp_path: Path) -> None:
    new_key(tmp_path / "ben")
    for key, name in (("anna.pub", "Ben"), ("ben.pub", "anna"), ("ben.pub", "../Ben")):
        with pytest.raises(BadInput, match="trust-name"):
            trust(desk.trust, tmp_path / key, name)
    with pytest.raises(BadInput, match="trust-name"):
        distrust(desk.trust, "Ben")
    one = trust(desk.trust, tmp_path / "ben.pub", "Ben Ö.-K")
    assert [row.name for row in trusted(desk.trust)] == ["Anna", "Ben Ö.-K"]
    assert distrust(desk.trust, one.id) == one


def test_only_a_public_ed25519_key_is_trusted(desk: Desk, tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    other = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text in (b"", desk.key.read_bytes(), other):
        (tmp_path / "bad.pub").write_bytes(text)
        with pytest.raises(BadInput, match="trust-key"):
            trust(desk.trust, tmp_path / "bad.pub", "Bad")
    (desk.trust / "odd.pub").write_bytes(b"junk")  # what nobody can read must not be passed over
    assert desk.refused() == "trust-key"


def test_a_folder_that_anybody_may_write_to_trusts_nobody(desk: Desk) -> None:
    desk.trust.chmod(0o777)
    assert desk.refused() == "trust-folder"
    desk.trust.chmod(0o700)
    (desk.trust / "Anna.pub").chmod(0o666)
    assert desk.refused() == "trust-folder"


# --- what a run keeps ----------------------------------------------------------------------------


def grown(desk: Desk) -> Path:
    done = prepare(desk.order()).run(lambda news: None)
    assert done.exit_code == 0
    return done.folder


def test_the_signer_stands_in_journal_record_and_show(desk: Desk) -> None:
    folder = grown(desk)
    line = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()[0]
    first = json.loads(line)["payload"]
    record, text = past.show(str(folder), desk.runs)
    for signed in (first["signed"], record["recipe"]["signed"]):
        assert (signed["name"], signed["by"]) == ("Anna", "anna@lab")
        assert (signed["key"], signed["utc"]) == (desk.facts["key"], desk.facts["utc"])
    assert first["content_hash"] == record["recipe"]["content"] == desk.facts["content"]
    assert f"signed      Anna  {desk.facts['utc']}  key {desk.facts['key']}" in text
    assert f"content {desk.facts['content'][:12]}" in text
    assert (folder / "recipe.sig").read_bytes() == desk.signature.read_bytes()
    assert past.verified(str(folder), desk.runs)


def test_a_run_without_demand_says_nothing_of_a_signature(desk: Desk) -> None:
    done = prepare(Order(recipe=str(desk.recipe), runs=desk.runs)).run(lambda news: None)
    assert past.record_of(done.folder)["recipe"]["signed"] is None
    assert not (done.folder / "recipe.sig").exists()


def test_a_run_whose_frozen_signature_is_not_its_own_goes_no_further(desk: Desk) -> None:
    folder = grown(desk)
    kept = (folder / "recipe.sig").read_bytes()
    rows = json.loads(kept)
    desk.edit("1.2.0", "1.3.0")
    sign(str(desk.recipe), desk.key, "anna@lab")
    another = desk.signature.read_bytes()  # genuine, and of another recipe
    for text in (b"", b"{}", json.dumps({**rows, "by": "Eve"}).encode(), another):
        (folder / "recipe.sig").write_bytes(text)
        for call in (
            lambda: past.verified(str(folder), desk.runs),
            lambda: resume(str(folder), desk.runs, by="", reason="").plan,
        ):
            with pytest.raises(Fault, match=r"recipe\.sig"):
                call()
    os.unlink(folder / "recipe.sig")
    with pytest.raises(Fault, match=r"recipe\.sig"):
        past.verified(str(folder), desk.runs)
    (folder / "recipe.sig").write_bytes(kept)
    distrust(desk.trust, "Anna")  # it was trusted when the film was begun
    assert past.verified(str(folder), desk.runs)
    assert resume(str(folder), desk.runs, by="", reason="").plan.recipe == "film"


class Gone(Exception):
    """The process died here."""


def test_a_signed_run_that_was_cut_short_is_taken_up_only_with_its_signature(desk: Desk) -> None:
    def die(news: News) -> None:
        if news.phase.startswith("rinse"):
            raise Gone

    with pytest.raises(Gone):
        prepare(desk.order()).run(die)
    (folder,) = desk.runs.iterdir()
    kept = (folder / "recipe.sig").read_bytes()
    (folder / "recipe.sig").write_bytes(kept.replace(b"anna@lab", b"eve@home"))
    with pytest.raises(Fault, match=r"recipe\.sig"):
        resume("last", desk.runs, by="", reason="").run(lambda news: None)
    (folder / "recipe.sig").write_bytes(kept)
    done = resume("last", desk.runs, by="", reason="").run(lambda news: None)
    assert (done.state, done.exit_code) == ("Complete", 0)
    assert past.record_of(folder)["recipe"]["signed"]["name"] == "Anna"
