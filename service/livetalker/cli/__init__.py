"""The ``livetalker`` command."""
