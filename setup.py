"""Builds the compiled timing core, lbl._core; everything else stands in pyproject.toml."""

from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup

CORE = Extension(
    "lbl._core",
    ["ext/_core.pyx", *sorted(glob("ext/*.c"))],
    include_dirs=["ext"],
    depends=sorted([*glob("ext/*.h"), *glob("ext/*.p*")]),
    extra_compile_args=["-Wall", "-Wextra", "-Wconversion"],
)

setup(ext_modules=cythonize([CORE], build_dir="build"))
