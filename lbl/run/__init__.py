"""Brings a plan to life: states, the loop, the clock. Must never decide chemistry (plan) or speak to a wire (bench)."""
