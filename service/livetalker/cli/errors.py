"""The one way a command fails that a person can do something about."""


class CliError(Exception):
    """Ends the command: the message goes to standard error, without a traceback, and the exit status is 1."""
