"""Generated code of the wire contract ``livetalker.v1``; see ``proto/`` and ``proto/generate.py``."""
