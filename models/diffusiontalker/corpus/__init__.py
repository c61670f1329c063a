"""Speech with known phone timing: synthesised by free text-to-speech programs, and real recordings with alignments.

Nothing here imports torch, and no GPL program is linked: every synthesiser runs as a program of its own.
"""
