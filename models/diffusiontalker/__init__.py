"""DiffusionTalker: the model that turns speech into ARKit face curves.

The modules needed to serve a trained model (``arkit``, ``geometry``, ``level``, ``noise``, ``phones``, ``bundle``) never
import torch; everything that trains does so lazily, behind the ``train`` extra.
"""

__version__ = "0.1.0"
