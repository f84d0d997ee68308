"""Recipes and plans: what to do, checked, flat and timed. Must never do I/O or know a clock."""
