"""DiffusionTalker: the model that turns speech into ARKit face curves.

What serving a trained model needs (``arkit``, ``geometry``, ``level``, ``noise``, ``bundle``, ``animator``) never
imports torch; everything that trains does so lazily, behind the ``train`` extra.
"""

__version__ = "0.1.0"
