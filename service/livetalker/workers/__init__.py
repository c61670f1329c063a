"""Several processes that serve behind one port."""
