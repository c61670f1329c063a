"""Messages that the server writes for itself alone."""
