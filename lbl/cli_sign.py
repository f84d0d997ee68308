"""The commands for signatures: words in, words out. They decide nothing.

Heavy imports wait until a command needs them, so that `lbl --help` answers at once.
"""

from pathlib import Path
from typing import Annotated

import typer

trust_app = typer.Typer(
    help="Whose signatures count here.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")]
Trust = Annotated[
    Path | None,
    typer.Option(
        "--trust", envvar="LBL_TRUST", help="The folder of trusted keys; else ~/.config/lbl/trust."
    ),
]
Signed = Annotated[
    bool, typer.Option("--signed", help="Refuse a recipe that nobody trusted has signed.")
]


def sign(
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe file, or the name of a shipped one.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="The private key to sign with.")] = None,
    new_key: Annotated[
        Path | None, typer.Option("--new-key", help="Make a key instead: this file and FILE.pub.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who signs; goes into the signature.")] = "",
    json: Json = False,
) -> None:
    """Sign a recipe: RECIPE.sig, beside it, says who found this content good, and when."""
    from lbl import screen, signing

    if new_key is not None:
        if recipe is not None or key is not None:
            raise typer.BadParameter("--new-key makes a key and signs nothing")
        screen.said(signing.new_key(new_key))
        return
    if recipe is None or key is None:
        raise typer.BadParameter("give RECIPE and --key FILE, or --new-key FILE")
    facts = signing.sign(recipe, key, by)
    screen.facts(facts)
    if json:
        screen.as_json(facts)


@trust_app.command("add")
def trust_add(
    key: Annotated[Path, typer.Argument(help="A public key, as lbl sign --new-key makes it.")],
    name: Annotated[str, typer.Option("--name", help="Whose key it is.")],
    trust: Trust = None,
) -> None:
    """Trust a key: recipes signed with it are good enough for --signed."""
    from lbl import screen
    from lbl import trust as keys

    one = keys.trust(trust or keys.default_folder(), key, name)
    screen.said(f"{one.name} is trusted, key {one.id}")


@trust_app.command("list")
def trust_list(trust: Trust = None, json: Json = False) -> None:
    """List the trusted keys."""
    from lbl import screen
    from lbl import trust as keys

    found = keys.trusted(trust or keys.default_folder())
    screen.facts({one.id: one.name for one in found})
    if json:
        screen.as_json({"keys": [{"name": one.name, "key": one.id} for one in found]})


@trust_app.command("remove")
def trust_remove(
    name: Annotated[str, typer.Argument(help="The name or the id of a trusted key.")],
    trust: Trust = None,
) -> None:
    """Trust a key no longer. Runs that were begun with it go on."""
    from lbl import screen
    from lbl import trust as keys

    one = keys.distrust(trust or keys.default_folder(), name)
    screen.said(f"{one.name} is trusted no longer, key {one.id}")
