"""The recipe: what the user asks for, typed and in base units.

A recipe is independent of the bench. The models refuse what can be judged from one place alone;
what depends on the order of phases is in `order.py`. Must never fill in a unit or a chemistry
that the user has not written.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from lbl.marked import Marked, Route
from lbl.plan.condition import MAX_DIFFERENT, MAX_TEXT, Unjudged, condition, parsed
from lbl.plan.fields import (
    EARLY,
    MAX_EXCHANGES,
    MAX_NAME,
    MAX_REPEAT,
    STRICT,
    Dwell,
    Every,
    Exchanges,
    FilmSolution,
    Name,
    Poured,
    RinseSolution,
    Speed,
    check_window,
    complaint,
    dwell_window,
    not_above,
    quantity,
    span_of,
    whole,
)

LANGUAGE: Final = 1
LATE: Final = 2.0  # at_most, where the user wrote none, as a share of `for`
PARKED_S: Final = 12 * 3600.0  # the longest a film may stay in its rinse at 22 degC
PHASES: Final = (
    "expose",
    "rinse",
    "measure",
    "wait",
    "temperature",
    "stir",
    "refill",
    "prime",
    "prompt",
    "park",
    "include",
    "repeat",
)
BLOCKS: Final = frozenset({"include", "repeat"})  # phases that hold other phases
ASKING: Final = frozenset(
    {"wait", "prompt", "measure"}
)  # may wait for a reading: they move nothing

OnResume = Literal["auto", "continue", "redo", "rinse-and-redo", "hold"]


class Expose(BaseModel):
    """Adsorption from one solution, for a time inside its window (s)."""

    model_config = STRICT
    to: FilmSolution
    dwell: Dwell = Field(alias="for")
    at_least: Dwell | None = None
    at_most: Dwell | None = None
    every: Every = 1
    on_resume: OnResume = "auto"

    @property
    def window(self) -> tuple[float, float]:
        """The shortest and the longest dwell (s)."""
        return dwell_window(self.dwell, self.at_least, self.at_most, LATE * self.dwell)

    @model_validator(mode="after")
    def _check(self) -> "Expose":
        check_window(self.dwell, self.at_least, self.at_most)
        return self


class Rinse(BaseModel):
    """Washing: `dwell` (s) in each of `at_least` exchanges, or more if the bench needs more."""

    model_config = STRICT
    solution: RinseSolution = Field(alias="with")
    dwell: Dwell = Field(alias="for")
    at_least: Exchanges = 1
    at_most: Exchanges = MAX_EXCHANGES
    every: Every = 1
    on_resume: OnResume = "redo"

    @property
    def window(self) -> tuple[float, float]:
        """The shortest and the longest dwell in one exchange (s)."""
        return EARLY * self.dwell, max(self.dwell, PARKED_S)

    @model_validator(mode="after")
    def _check(self) -> "Rinse":
        if self.at_least > self.at_most:
            sentence = f"at_least ({self.at_least}) is more than at_most ({self.at_most})"
            raise complaint("window", sentence, at=("at_least",))
        return self


class Measure(BaseModel):
    """A reading of the film's absorbance at a wavelength (nm), in the rinse before."""

    model_config = STRICT
    absorbance: Annotated[float, quantity("nm", 200, 1200)]
    every: Every = 1
    on_resume: OnResume = "redo"


class Wait(BaseModel):
    """Staying where the substrate is (s)."""

    model_config = STRICT
    dwell: Dwell = Field(alias="for")
    at_least: Dwell | None = None
    at_most: Dwell | None = None
    every: Every = 1
    on_resume: OnResume = "continue"

    @property
    def window(self) -> tuple[float, float]:
        """The shortest and the longest time (s)."""
        return dwell_window(self.dwell, self.at_least, self.at_most, max(self.dwell, PARKED_S))

    @model_validator(mode="after")
    def _check(self) -> "Wait":
        check_window(self.dwell, self.at_least, self.at_most)
        return self


class Temperature(BaseModel):
    """The liquids are brought to a temperature (degC), evenly, in a time (s)."""

    model_config = STRICT
    to: Annotated[float, quantity("degC", -20, 150)]
    over: Dwell
    every: Every = 1
    on_resume: OnResume = "continue"


class Stir(BaseModel):
    """The liquids are stirred at this speed (rpm, 0: not at all) from here on."""

    model_config = STRICT
    at: Speed
    every: Every = 1
    on_resume: OnResume = "redo"


class Refill(BaseModel):
    """Liquid (mL) is put back into where a solution stands, by a pump or by a person."""

    model_config = STRICT
    of: FilmSolution
    volume: Poured
    every: Every = 1
    on_resume: OnResume = "hold"


class Prime(BaseModel):
    """What leads from a solution to the film is filled with it anew, the old goes to waste."""

    model_config = STRICT
    solution: FilmSolution = Field(alias="with")
    every: Every = 1
    on_resume: OnResume = "redo"


class Prompt(BaseModel):
    """A person does something: the run holds, wet, and says what, until somebody unholds it."""

    model_config = STRICT
    say: Annotated[str, Field(min_length=1, max_length=200)]
    every: Every = 1
    on_resume: OnResume = "continue"


class Park(BaseModel):
    """The end: the substrate stays in the last rinse of its own side."""

    model_config = STRICT
    solution: RinseSolution = Field(alias="in")
    on_resume: OnResume = "redo"


Staying = Wait | Temperature | Stir | Refill | Prime | Prompt
"""Phases that leave the film where it is; after an expose they would lengthen it."""
Options = Expose | Rinse | Measure | Staying | Park


def _judge(text: str, info: ValidationInfo) -> str:
    """A condition that can be asked with the recipe's parameters."""
    known = (info.context or {}).get("conditions", set())
    if text not in known and len(known) >= MAX_DIFFERENT:
        raise complaint("condition", f"a recipe has at most {MAX_DIFFERENT} different conditions")
    known.add(text)
    try:
        condition(text, (info.context or {}).get("parameters", {}))
    except Unjudged as error:
        raise complaint("condition", str(error), error.remedy) from None
    return text


Asked = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_judge)]


class Phase(BaseModel):
    """One entry of the procedure: a phase with its options, or a block of steps.

    `when` says whether it happens, `lasts` (`while`) whether a repetition goes on.
    """

    model_config = STRICT
    expose: Expose | None = None
    rinse: Rinse | None = None
    measure: Measure | None = None
    wait: Wait | None = None
    temperature: Temperature | None = None
    stir: Stir | None = None
    refill: Refill | None = None
    prime: Prime | None = None
    prompt: Prompt | None = None
    park: Park | None = None
    include: Name | None = None
    repeat: Annotated[int, Field(ge=1, le=MAX_REPEAT)] | None = None
    counts: Literal["bilayer"] | None = Field(default=None, alias="as")
    lasts: Asked | None = Field(default=None, alias="while")
    steps: list["Phase"] | None = Field(default=None, min_length=1)
    when: Asked | None = None

    @property
    def options(self) -> Options | None:
        """The phase's options; None for a block."""
        return next((made for name in PHASES if (made := self._made(name)) is not None), None)

    def _made(self, name: str) -> Options | None:
        made: Options | None = getattr(self, name) if name not in BLOCKS else None
        return made

    @property
    def name(self) -> str:
        """Which phase it is."""
        return next((name for name in PHASES if name in self.model_fields_set), "")

    @model_validator(mode="after")
    def _check(self) -> "Phase":
        named = [name for name in PHASES if name in self.model_fields_set]
        if len(named) != 1:
            sentence = f"one step is one phase, and this has {' and '.join(named) or 'none'}"
            raise complaint("phase-shape", sentence, "begin each phase with '- '")
        name = named[0]
        if name == "repeat":
            if self.repeat is None or self.steps is None:
                sentence = "'repeat' needs a number and 'steps'"
                raise complaint("phase-shape", sentence, "write 'repeat: 5' and 'steps:' below")
        elif name == "include":
            if self.include is None or self.steps is None:  # the loader has put them in
                raise complaint("phase-shape", "'include' needs a file", _EXAMPLES[name])
        elif self.options is None:
            raise complaint("phase-shape", f"'{name}' has no options", _EXAMPLES[name])
        beside = (("as", self.counts), ("while", self.lasts), ("steps", self.steps))
        strange = [key for key, value in beside if value is not None and name != "repeat"]
        if strange and not (name == "include" and strange == ["steps"]):
            sentence = f"'{strange[0]}' belongs to 'repeat', not to '{name}'"
            raise complaint("phase-shape", sentence)
        return self

    @model_validator(mode="after")
    def _check_condition(self) -> "Phase":
        if self.when is None:
            return self
        if self.name == "park":
            sentence = "a park happens always, or the film would dry"
            raise complaint("condition", sentence, "remove 'when'", ("when",))
        if parsed(self.when).read and self.name not in ASKING:
            sentence = f"whether a {self.name} happens must be known before the film is begun"
            remedy = (
                f"ask for counts and parameters; readings decide of {' and '.join(sorted(ASKING))}"
            )
            raise complaint("condition", sentence, remedy, ("when",))
        return self


_EXAMPLES: Final[Mapping[str, str]] = {
    "expose": "write it like 'expose: {to: PDAC, for: 10 min}'",
    "rinse": "write it like 'rinse: {with: buffer, for: 1 min, at_least: 3}'",
    "measure": "write it like 'measure: {absorbance: 570 nm}'",
    "wait": "write it like 'wait: {for: 5 min}'",
    "temperature": "write it like 'temperature: {to: 18 degC, over: 6 h}'",
    "stir": "write it like 'stir: {at: 300 rpm}'",
    "refill": "write it like 'refill: {of: BR, volume: 2 mL}'",
    "prime": "write it like 'prime: {with: PDAC}'",
    "prompt": "write it like 'prompt: {say: change the buffer}'",
    "park": "write it like 'park: {in: buffer}'",
    "include": "write it like 'include: rinses.yaml'",
}


class Solution(BaseModel):
    """A liquid: what it holds (mg/mL), its pH and charge, and what it is for."""

    model_config = STRICT
    species: Annotated[str, Field(max_length=MAX_NAME)] = ""
    concentration: Annotated[float, quantity("mg/mL", 0, 1000)] = 0.0
    pH: Annotated[float, Field(ge=0, le=14)]  # noqa: N815 - the symbol of the quantity
    charge: Literal["positive", "negative", "none"] = "none"
    role: Literal["film", "primer", "rinse"] = "film"
    keep: Literal["dark", ""] = ""

    @model_validator(mode="after")
    def _check(self) -> "Solution":
        charged = self.charge != "none"
        if self.role == "rinse" and charged:
            sentence = f"a rinse must not be charged, and this one is {self.charge}"
            raise complaint("wrong-solution", sentence, "remove 'charge'", ("charge",))
        if self.role != "rinse" and not charged:
            sentence = "a solution that builds the film needs its charge"
            remedy = "add 'charge: positive' or 'charge: negative', or 'role: rinse'"
            raise complaint("wrong-solution", sentence, remedy)
        if self.role != "rinse" and self.concentration <= 0:
            sentence = "a solution that builds the film needs a concentration above 0"
            raise complaint("wrong-solution", sentence, "such as 'concentration: 1 mg/mL'")
        return self


class Substrate(BaseModel):
    """What the film grows on: coated area of all sides together (cm2)."""

    model_config = STRICT
    area: Annotated[float, quantity("cm^2", 0.001, 10_000)]
    form: Annotated[str, Field(max_length=MAX_NAME)] = "flat"
    sides: Annotated[int, Field(ge=1, le=2)] = 2


class Air(BaseModel):
    """How long the wet film may be in air (s): planned and measured."""

    model_config = STRICT
    soft: Dwell = 20.0
    hard: Dwell = 45.0

    @model_validator(mode="after")
    def _check(self) -> "Air":
        if not not_above(self.soft, self.hard):
            sentence = f"soft ({self.soft:g} s) is above hard ({self.hard:g} s)"
            raise complaint("out-of-range", sentence, at=("soft",))
        return self


class Limits(BaseModel):
    """What must not happen: air, temperature (degC), carry-over between opposite charges.

    `held` is how long the film may stay in the rinse where a hold has parked it (s).
    """

    model_config = STRICT
    air: Air = Air()
    held: Dwell = PARKED_S
    temperature: Annotated[tuple[float, float], span_of("degC")] | None = None
    carry_over: Annotated[float, quantity("", 1e-15, 1)] = 1e-6


class Growth(BaseModel):
    """The growth aimed at (OD per bilayer and side) and what to do when it strays."""

    model_config = STRICT
    target: Annotated[float, quantity("OD", 1e-6, 1)]
    chart: Literal["cusum", "none"] = "cusum"
    on_alarm: Literal["note", "hold", "stop"] = "hold"


class Quality(BaseModel):
    """How the film is judged while it grows."""

    model_config = STRICT
    growth: Growth | None = None


class Override(BaseModel):
    """A rule of the chemistry that a named person sets aside, and why."""

    model_config = STRICT
    rule: Name
    by: Name
    reason: Annotated[str, Field(min_length=3, max_length=400)]


class Recipe(BaseModel):
    """A whole recipe. Made by `lbl.plan.loader`; `parameters` are plain values, overrides in."""

    model_config = STRICT
    lbl: Annotated[Literal[1], BeforeValidator(whole, json_schema_input_type=Literal[1])]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    version: Annotated[str, Field(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")]
    description: Annotated[str, Field(max_length=4000)] = ""
    parameters: dict[str, str | int | float] = {}
    substrate: Substrate
    solutions: Annotated[dict[Name, Solution], Field(min_length=1, max_length=32)]
    procedure: Annotated[list[Phase], Field(min_length=1)]
    limits: Limits = Limits()
    quality: Quality = Quality()
    overrides: Annotated[list[Override], Field(max_length=32)] = []
    _marked: Marked | None = PrivateAttr(default=None)
    _content: str = PrivateAttr(default="")
    _text: str = PrivateAttr(default="")

    def place(self, route: Route) -> str:
        """Return `file:line:col` of what stands at `route`; empty if it came from no file."""
        return self._marked.place(route) if self._marked is not None else ""

    @property
    def content(self) -> str:
        """The hash of what was written, comments and layout apart; empty if it was not read."""
        return self._content

    @property
    def text(self) -> str:
        """What was written, in one text: the included files are put in."""
        return self._text

    def marked_by(self, marked: Marked, content: str, text: str) -> "Recipe":
        """Remember where everything was written, its hash and its text; returns itself."""
        self._marked, self._content, self._text = marked, content, text
        return self
