"""The watch wing: pure verdicts on samples, and the ladder of answers to them.

It must never do I/O, read a clock or act; times are handed in.
"""
