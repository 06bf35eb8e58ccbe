"""What training can't do, and will not be able to when it is tried again."""


class TrainingError(ValueError):
    """There is nothing to train on, or an algorithm can't be fitted; the message says why."""


class DivergedError(TrainingError):
    """A descent's steps were so long that it left all bounds."""


class TooManyMoviesError(TrainingError):
    """An algorithm whose memory grows with the square of the rated movies refuses so many."""
