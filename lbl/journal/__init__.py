"""The journal wing: the append-only truth of a run, its folder, and the record made from it.

The only writer of run data. It must never act on a bench, read a clock or decide what to do next.
"""
