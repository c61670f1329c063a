"""The load generator behind ``livetalker bench``: simulated microphones, what they measure, and the search for N."""
