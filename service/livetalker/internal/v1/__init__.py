"""Generated code of ``livetalker.internal.v1``; see ``proto/`` and ``proto/generate.py``."""
