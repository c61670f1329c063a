"""The ``diffusiontalker`` command: one module a verb, each with ``add(verbs)``; ``main`` joins them."""
