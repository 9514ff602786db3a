"""The one exception for input that a person has to mend; the command line prints it and exits 3."""


class BadInput(ValueError):
    """Input that cannot be used. The message is one sentence: the fact, the likely slip, the way out.

    `where` is the place when there is one: `file:line`, or the file alone.
    """

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.what = what
        self.where = where
