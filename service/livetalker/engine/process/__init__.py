"""An engine in a process of its own, for a server: messages there, outputs back, in batches through a pair of sockets.

A server's two halves are busy at the same time: one moves thousands of small messages a second, the other one computes.
In one process they take turns at the interpreter's lock, and a tick waits for it after every network it runs.
"""
