"""Fault campaigns: films grown on simulated benches while things break, judged by the world."""
