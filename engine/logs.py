"""The log: what the engine did, never what a note or a question says."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

FILE = "engram.log"
MOST_BYTES = 1_000_000
OLDER_FILES = 4
_LOGGERS = ("engine",)


class LogFile:
    """A rotating file in the home's `logs` folder that takes what the engine logs.

    Nothing of other libraries goes into it: their messages may quote what they were given.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handler = logging.handlers.RotatingFileHandler(
            folder / FILE,
            maxBytes=MOST_BYTES,
            backupCount=OLDER_FILES,
            encoding="utf-8",
            errors="backslashreplace",
            delay=True,
        )
        form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
        self._handler.setFormatter(logging.Formatter(form))
        self._handler.setLevel(logging.INFO)
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.addHandler(self._handler)
            if logger.level == logging.NOTSET:
                logger.setLevel(logging.INFO)

    def close(self) -> None:
        """Take no more messages."""
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self._handler)
        self._handler.close()
