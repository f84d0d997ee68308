"""Autonomous mode: what a person does at the bench, done by a program that nobody watches.

It looks, decides, and asks the same doors as people do. Must never drive an instrument beyond
switching outputs off, and never decide where a film goes on: that is the run's.
"""
