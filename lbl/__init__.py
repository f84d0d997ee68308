"""lbl grows thin films one layer at a time and never loses count. Importing it stays light."""

__version__ = "0.1.0"
