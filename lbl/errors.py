"""The error family: every refusal is a code, a sentence, a place and a remedy.

This file must never print, log or format for a screen beyond one line a problem.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

_SHOWN: Final = 40  # characters of a user's text that a message repeats


def short(text: object) -> str:
    """Return a text as a message may repeat it: printable, on one line, not long."""
    plain = str(text)
    return _printable(plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 3]}...")


def _printable(text: str) -> str:
    """Escape what would break a line or move a terminal's cursor."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: its code, what it is, where it is, what to do about it.

    `code` is a key of CODES. `place` is `file:line:col` or the name of a thing; it may be empty.
    """

    code: str
    sentence: str
    place: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        """Return one line: place, sentence, remedy, code."""
        where = f"{self.place}: " if self.place else ""
        cure = f"; {self.remedy}" if self.remedy else ""
        return _printable(f"{where}{self.sentence}{cure} [{self.code}]")


class LblError(Exception):
    """Base of the family; carries its problems and the exit code of the command line."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem) -> None:
        """Keep the problems, one or more."""
        super().__init__(*problems)
        self.problems: tuple[Problem, ...] = problems

    def __str__(self) -> str:
        """Return one line a problem."""
        return "\n".join(str(problem) for problem in self.problems)


class BadInput(LblError):
    """A recipe, bench file or argument is wrong; nothing has moved."""

    exit_code = 2


class Refused(BadInput):
    """The input is well formed, and the plan or the state forbids it; nothing has moved."""


class Ended(LblError):
    """The run ended early and in order: stopped, or held where nobody can unhold it."""

    exit_code = 3


class Fault(LblError):
    """An instrument, the host or the film made the run abort."""

    exit_code = 4


class Interrupted(LblError):
    """Somebody interrupted the run; it can be resumed."""

    exit_code = 5


# One sentence a code, for the manual; docs/errors.md adds the cure and a test compares the two.
CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Files and YAML
        "file-unreadable": "The file is missing, is not a plain file, or may not be read.",
        "file-unwritable": "The file cannot be written.",
        "file-too-large": "The file is larger than 256 KB.",
        "file-encoding": "The file is not UTF-8 text, or holds a character that YAML forbids.",
        "file-more": "The file has more mistakes than are told at once.",
        "yaml-syntax": "The text is not YAML 1.2.",
        "yaml-duplicate-key": "A key stands twice in one mapping.",
        "yaml-tag": "A value carries a YAML tag such as !!python/object.",
        "yaml-merge-key": "A mapping uses the merge key '<<', which YAML 1.2 does not have.",
        "yaml-alias": "Aliases are too many, stand for too much, or contain themselves.",
        "yaml-too-deep": "The nesting is deeper than 32 levels.",
        "yaml-too-many": "The file holds more than 25,000 values, aliases included.",
        "yaml-key": "A key of a mapping is not plain text.",
        # Recipes
        "recipe-unknown": "There is no such recipe file and no shipped recipe of that name.",
        "recipe-not-mapping": "The recipe is not a mapping of keys to values.",
        "recipe-language": "The recipe is written in another version of the recipe language.",
        "recipe-unknown-key": "A key is not known at this place.",
        "recipe-missing-key": "A key that must be there is not.",
        "recipe-wrong-type": "A value has the wrong shape, such as a list where text is due.",
        "recipe-wrong-word": "A value is none of the words that are allowed at this place.",
        "recipe-unit-missing": "A bare number stands where a number with a unit is due.",
        "recipe-quantity": "A quantity cannot be read, or has the wrong kind of unit.",
        "recipe-out-of-range": "A number or quantity is outside what is allowed at this place.",
        "recipe-window": "A dwell lies outside its own at_least and at_most.",
        "recipe-unknown-parameter": "A $name or a --set names a parameter that does not exist.",
        "recipe-bad-parameter": "A parameter has a name or a value that cannot be used.",
        "recipe-unknown-solution": "A phase names a solution that the recipe does not declare.",
        "recipe-wrong-solution": "A solution cannot serve in this phase.",
        "recipe-unknown-phase": "A step of the procedure is not a phase this version knows.",
        "recipe-phase-shape": "A step of the procedure is not one phase with its options.",
        "recipe-condition": "A condition cannot be asked, or not at this place.",
        "recipe-include": "A file that is included cannot be put in.",
        "recipe-order": "A phase stands where it can have no effect or do harm.",
        "recipe-layout": "A recipe cannot be laid out anew without losing a comment.",
        "recipe-too-long": "The procedure unrolls to more steps than a plan may hold.",
        "recipe-form": "A recipe is not in canonical form.",
        "recipe-override": "An override names a rule that there is not.",
        "new-answer": "An answer for a new recipe cannot be used.",
        "new-exists": "A new recipe would be written over a file.",
        # Rules of the chemistry: some refuse a recipe, some warn
        "rule-ph-turns": "Membrane is offered at a pH near 7, where it adsorbs either way up.",
        "rule-heat": "The limits allow temperatures that harm membrane.",
        "rule-ph-band": "Membrane is offered outside the pH at which films are known to grow.",
        "rule-ph-rinse": "A rinse has another pH than what it rinses.",
        "rule-dwell": "A deposition is shorter or longer than usual.",
        "rule-rinse-short": "A rinse is shorter than loose material takes to leave.",
        "rule-warmth": "The limits allow temperatures at which films are not usually grown.",
        "rule-light": "Membrane is not marked as kept dark.",
        "rule-concentration": "A solution is weaker or stronger than usual.",
        "rule-age": "A solution is older at the end of the film than it keeps.",
        # Plans
        "plan-bench-kind": "This version cannot plan for this kind of bench.",
        "plan-no-bath": "The bench has no bath for a solution.",
        "plan-no-role": "The bench lacks an instrument that a phase needs.",
        "plan-readout": "The photometer cannot look at the substrate at a measurement.",
        "plan-shared-rinse": "One rinse bath would be used after both polycation and polyanion.",
        "plan-carry-over": "The rinses do not dilute one polyion enough before its opposite.",
        "plan-air-time": "A transfer keeps the substrate in air longer than limits.air.soft.",
        "plan-dwell": "A dwell cannot be kept inside its window on this bench.",
        "plan-volume": "There is not enough of a solution, or no room for more of it.",
        "plan-waste": "There is not enough room for the waste.",
        "plan-stirrer": "The bench cannot stir the liquids, or not so fast.",
        "plan-rounds": "A repetition that may end early does not end where its rounds begin.",
        "plan-temperature": "The bench cannot keep the temperature limits.",
        "plan-damaged": "A plan document does not have the shape or the hash it should have.",
        # Benches and their instruments
        "bench-unknown": "There is no such bench file and no shipped bench of that name.",
        "bench-unknown-key": "A key of the bench file is not known at this place.",
        "bench-missing-key": "A key that the bench file must have is not there.",
        "bench-wrong-type": "A value of the bench file has the wrong shape.",
        "bench-wrong-word": "A value of the bench file is none of the words allowed.",
        "bench-unit-missing": "A bare number stands in the bench file where a unit is due.",
        "bench-quantity": "A quantity of the bench file cannot be read, or has the wrong kind of "
        "unit.",
        "bench-out-of-range": "A number of the bench file is outside what is allowed.",
        "bench-no-instrument": "The bench file names an instrument that it does not describe.",
        "bench-no-vessel": "The bench file names a vessel that it does not describe.",
        "bench-geometry": "The arm cannot reach the places of the bench file safely.",
        "bench-no-answer": "An instrument does not answer.",
        "bench-fault": "A fault that the bench file asks for cannot be.",
        "bench-another": "Another instrument answers than the bench file means.",
        "bench-limits": "An instrument's own limits do not allow what the bench file says.",
        "bench-calibration": "A day of calibration lies in the future.",
        "bench-card": "An instrument's card cannot be read, or is another instrument's.",
        "card-unwritable": "An instrument's card cannot be written.",
        "driver-unknown": "There is no driver of that name.",
        "driver-test": "An instrument and its driver failed a check of the conformance kit.",
        "core-missing": "The compiled core is not built.",
        "not-ours": "Another package owns a name that this program needs.",
        "bench-unsafe": "An instrument could not be made safe.",
        "world-parameter": "A simulated bench does not take this world parameter or value.",
        # Options and commands
        "option-form": "An option is not of the form NAME=VALUE.",
        "start-time": "The time at which a run shall begin cannot be read.",
        "speed": "A speed is not a word or number that is known.",
        "speed-real-bench": "Time cannot be hurried on a bench that is not simulated in this "
        "process.",
        "realtime-virtual": "Real-time options are given for a run in virtual time.",
        "lot-unknown": "A lot is given for a solution that the recipe does not have.",
        "detach": "The run could not be sent to the background.",
        "diff-kinds": "A recipe is compared with a run, or a run is to be changed.",
        "diff-unknown": "What is to be compared is neither a recipe nor a run.",
        "study-name": "A study names a parameter twice, or one that neither recipe nor world has.",
        "study-values": "The values over which a study varies a parameter cannot be read.",
        "study-size": "A study has no films, or more than 10,000.",
        "study-bench": "A study is asked of a bench that is not simulated in this process.",
        "study-extra": "A package that studies need is not installed.",
        "study-cluster": "The Dask cluster does not answer, or cannot grow films.",
        "study-worker": "A process that grew films for a study died.",
        "study-output": "A table or the run folders of a study cannot be written as asked.",
        "torture-bench": "A fault campaign is asked of a bench that is not simulated here.",
        "torture-faults": "Faults of a campaign are numbered or counted as they cannot be.",
        "torture-film": "A film is not whole even when nothing goes wrong with it.",
        "serve": "Simulated instruments could not be served.",
        "timing": "This computer could not be timed as asked.",
        "command-wrong": "A command to a run has a name that cannot be one.",
        "state-refused": "The run's state does not take this command.",
        "inbox-full": "A run has too many commands that nobody has taken.",
        # Signatures
        "sign-key": "A key that should sign a recipe cannot be used, or others may use it too.",
        "sign-key-exists": "A new key would replace a file that is there.",
        "sign-who": "A signature cannot carry this name of who signs.",
        "sign-unwritable": "A key or a signature cannot be written.",
        "signature-missing": "The recipe is not signed.",
        "signature-damaged": "A signature file does not hold a signature of a recipe.",
        "signature-altered": "The recipe is not what was signed.",
        "signature-untrusted": "The recipe is signed with a key that nobody here trusts.",
        "signature-false": "A signature was not made with the key that it names.",
        "trust-name": "A trusted key has no such name, or name or key are taken.",
        "trust-key": "A file that should hold a public key does not.",
        "trust-folder": "The folder of trusted keys cannot be used, or anybody may write to it.",
        # Autonomous mode
        "auto-unknown-key": "A key of the file of autonomous mode is not known at this place.",
        "auto-missing-key": "A key that the file of autonomous mode must have is not there.",
        "auto-wrong-type": "A value of the file of autonomous mode has the wrong shape.",
        "auto-wrong-word": "A value of the file of autonomous mode is none of the words allowed.",
        "auto-unit-missing": "A bare number stands in the file of autonomous mode where a unit is "
        "due.",
        "auto-quantity": "A value of the file of autonomous mode cannot be read, or may not be.",
        "auto-out-of-range": "A number of the file of autonomous mode is outside what is allowed.",
        "auto-unwell": "A part of the program does not answer any more.",
        # Runs and their folders
        "run-unknown": "There is no such run.",
        "run-ambiguous": "Several runs begin with these characters.",
        "run-id": "A run id has characters that cannot be part of a folder name.",
        "run-idle": "No process holds this run, so that nobody can take the command.",
        "run-finished": "The run is over and cannot be resumed.",
        "position-unknown": "It is not known where the substrate is.",
        "run-locked": "Another process holds this run.",
        "run-exists": "The run folder is there already.",
        "run-frozen": "A frozen file of a run would be changed.",
        "run-empty": "The run was never begun.",
        "run-newer": "The run was written by a later version of this program.",
        "run-damaged": "A file of the run folder does not hold what it should.",
        "run-inconsistent": "What the program remembers of a run contradicts itself.",
        "run-unreadable": "The run folder cannot be read.",
        "run-unwritable": "The run folder cannot be written.",
        "journal-damaged": "A record of the journal is not what was written.",
        "journal-short": "The journal is shorter than its heads say: records are lost.",
        "seal-key": "The key that signs checkpoints cannot be used.",
    }
)
