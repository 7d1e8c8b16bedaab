"""The colours, by what they are for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tones:
    """One set of colours, ``#rrggbb``. `x_soft` is a ground, `on_x` the text upon it."""

    window: str
    surface: str
    raised: str
    hover: str
    selected: str
    border: str
    line: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_soft: str
    on_accent_soft: str
    neutral_soft: str
    on_neutral: str
    warn: str
    warn_soft: str
    on_warn: str
    bad: str
    bad_soft: str
    on_bad: str
    free_cell: str


LIGHT = Tones(
    window="#f5f5f2",
    surface="#ffffff",
    raised="#ffffff",
    hover="#ebebe7",
    selected="#dcecea",
    border="#d5d5cf",
    line="#e6e6e1",
    text="#1d2022",
    muted="#5a6066",
    disabled="#8c9298",
    accent="#0f6e66",
    accent_hover="#0b5a53",
    on_accent="#ffffff",
    accent_soft="#e0f0ee",
    on_accent_soft="#0b544d",
    neutral_soft="#e8e8e4",
    on_neutral="#4a5056",
    warn="#b86a00",
    warn_soft="#faecd4",
    on_warn="#7a4300",
    bad="#b3302b",
    bad_soft="#fae3e1",
    on_bad="#97201c",
    free_cell="#e3e3dd",
)

DARK = Tones(
    window="#1b1d1f",
    surface="#222527",
    raised="#2c3033",
    hover="#2b2f32",
    selected="#243f3c",
    border="#3e4347",
    line="#33373b",
    text="#e9eaeb",
    muted="#a8aeb4",
    disabled="#70767c",
    accent="#5cc5b8",
    accent_hover="#7bd3c8",
    on_accent="#06211e",
    accent_soft="#1e3a37",
    on_accent_soft="#96dfd5",
    neutral_soft="#34393d",
    on_neutral="#c3c8cd",
    warn="#e3a548",
    warn_soft="#3d3019",
    on_warn="#f1c27c",
    bad="#ee8079",
    bad_soft="#432422",
    on_bad="#f6a8a3",
    free_cell="#35393d",
)

READABLE_PAIRS = (
    ("text", "window"),
    ("text", "surface"),
    ("text", "raised"),
    ("text", "hover"),
    ("text", "selected"),
    ("muted", "window"),
    ("muted", "surface"),
    ("muted", "raised"),
    ("muted", "hover"),
    ("muted", "selected"),
    ("accent", "window"),
    ("accent", "surface"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("text", "accent_soft"),
    ("on_accent_soft", "accent_soft"),
    ("on_neutral", "neutral_soft"),
    ("on_warn", "warn_soft"),
    ("on_bad", "bad_soft"),
    ("on_accent_soft", "surface"),
    ("on_neutral", "surface"),
    ("on_warn", "surface"),
    ("on_bad", "surface"),
    ("text", "warn_soft"),
    ("text", "bad_soft"),
)
"""(text, ground) as they occur in the window."""


def luminance(name: str) -> float:
    """Relative luminance of ``#rrggbb``, as WCAG 2.2 defines it."""
    channels = [int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
