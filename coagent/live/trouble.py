"""What can stop a live run, beyond what a call can come to."""


class Stuck(Exception):
    """An effect that can neither be done nor left undone: a person has to look. The message says why."""


class Ended(Exception):
    """The session is over, or broke: nothing more can be asked of it. The message says why."""
