"""The engine: one inference thread that animates every stream's audio, batched over fixed slots."""
