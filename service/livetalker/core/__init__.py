"""The streaming core: everything about a stream that is neither wire nor model, on integer sample clocks.

Each class here is the state of one stream and gives the same output however its input is cut up.
"""
