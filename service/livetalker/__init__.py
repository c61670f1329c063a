"""LiveTalker: a gRPC service and a command line that turn a live voice into 52 ARKit blendshapes per frame.

Importing this package, or serving with it, never imports torch, unless one of torch's backends is asked for.
"""
