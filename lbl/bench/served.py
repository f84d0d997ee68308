"""Serves a simulated bench to other processes, and writes the bench file that reaches it.

Must never listen beyond this machine.
"""

import io
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lbl.bench.simulated import Simulation
from lbl.errors import BadInput, Problem
from sim.serve import serve as serve_assembly

Fact = Mapping[str, object]


def serve(
    simulation: Simulation,
    bench_text: str,
    *,
    transport: str,
    only: Collection[str],
    speed: float,
    latency_ms: float,
    split: bool,
    ledger: Path | None,
    write_bench: Path | None,
    announce: Callable[[Fact], None],
    stop: Callable[[], bool],
) -> None:
    """Serve until `stop()`; the bench file is written before readiness is announced.

    Raises BadInput for a name, speed or file that cannot be.
    """
    resources: dict[str, str] = {}

    def tell(fact: dict[str, object]) -> None:
        if "name" in fact:
            resources[str(fact["name"])] = str(fact["resource"])
        elif write_bench is not None:
            _write(write_bench, reaching(bench_text, resources, speed))
        announce(fact)

    try:
        serve_assembly(
            simulation.assembly,
            transport=transport,
            announce=tell,
            stop=stop,
            speed=speed,
            latency_ms=latency_ms,
            split=split,
            only=only or None,
            ledger=ledger,
        )
    except ValueError as error:
        raise BadInput(Problem("serve", str(error))) from None
    except OSError as error:
        raise BadInput(Problem("serve", f"cannot serve: {error}")) from None


def reaching(bench_text: str, resources: Mapping[str, str], speed: float) -> str:
    """The bench file's text with the served resources and speed put in; comments stay."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    data: Any = yaml.load(bench_text)
    for name, resource in resources.items():
        data["instruments"][name]["resource"] = resource
    simulated = data.get("simulated") or {}
    data["simulated"] = {**simulated, "served": True, "speed": speed}
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        sentence = f"cannot write the bench file: {error.strerror}"
        raise BadInput(Problem("serve", sentence, str(path))) from None
