"""The PyVISA hook: `ResourceManager("dip.yaml@lbl")` opens the simulated bench of that file."""

from lbl.bench.simulated import Library as WRAPPER_CLASS

__all__ = ["WRAPPER_CLASS"]
