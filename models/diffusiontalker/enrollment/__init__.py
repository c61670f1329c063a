"""The identity library grows: a new speaker by voice alone, or by voice and face, in a bundle that exists."""
