"""The window's log: rotating, under the home, and without a word of any note or question."""

from __future__ import annotations

import logging
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

MOST_BYTES = 512 * 1024
KEPT_FILES = 3


class FramesOnly(logging.Formatter):
    """Writes where an exception came from and its type, but not its message.

    An exception's message may quote a note or a question; its frames are our own source.
    """

    def format(self, record: logging.LogRecord) -> str:
        """A line, with the exception formatted here and not taken from another handler."""
        record.exc_text = None
        text = super().format(record)
        record.exc_text = None
        return text

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """The frames and the type's name."""
        kind, _, trace = ei
        frames = "".join(traceback.format_tb(trace)) if trace else ""
        return f"{frames}{kind.__name__ if kind else ''}"


def open_log(home: Path) -> RotatingFileHandler:
    """Log to ``home/logs/window.log`` from now on. The caller closes the handler."""
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / "window.log", maxBytes=MOST_BYTES, backupCount=KEPT_FILES, encoding="utf-8"
    )
    handler.setFormatter(FramesOnly("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("app")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return handler


def close_log(handler: RotatingFileHandler) -> None:
    """Stop logging."""
    logging.getLogger("app").removeHandler(handler)
    handler.close()
