"""Brings a plan to life: states, the loop, the clock.

Must never decide chemistry (that is the plan's) nor speak to a wire (that is the bench's).
"""
