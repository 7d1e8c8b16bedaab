"""The style sheet, made from the tones. It sets colours, borders and padding, never fonts."""

from __future__ import annotations

from app.resources import resource
from app.tones import Tones


def stylesheet(t: Tones, line: int) -> str:
    """Qt style sheet for these colours and a line of text `line` pixels high."""
    return "\n".join((_grounds(t), _buttons(t), _inputs(t, line), _lists(t), _rest(t)))


def _grounds(t: Tones) -> str:
    return f"""
QMainWindow, QDialog, QWidget#page {{ background: {t.window}; }}
QWidget#chatPane, QWidget#surface {{ background: {t.surface}; }}
QWidget#sidePane, QWidget#chatList {{ background: {t.window}; }}
QFrame#rule {{ background: {t.line}; border: none; }}
QFrame#card {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: 10px; }}
QFrame#question {{ background: {t.accent_soft}; border: none; border-radius: 12px; }}
QFrame#quiet {{ background: {t.window}; border: none; border-radius: 8px; }}
QFrame#banner[tone="bad"] {{ background: {t.bad_soft}; border: none; }}
QFrame#banner[tone="warn"] {{ background: {t.warn_soft}; border: none; }}
QFrame#banner[tone="info"] {{ background: {t.accent_soft}; border: none; }}
QFrame#toast {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 10px; }}
QFrame#toast[tone="bad"] {{ background: {t.bad_soft}; border: 1px solid {t.bad}; }}
QFrame#composer {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 14px; }}
QFrame#composer[focused="true"] {{ border: 1px solid {t.accent}; }}
QLabel {{ background: transparent; color: {t.text}; }}
QLabel[tone="muted"] {{ color: {t.muted}; }}
QLabel[tone="accent"] {{ color: {t.accent}; }}
QLabel[tone="bad"] {{ color: {t.on_bad}; }}
QLabel[tone="warn"] {{ color: {t.on_warn}; }}
QLabel:disabled {{ color: {t.disabled}; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border};
            padding: 4px 6px; }}
QSplitter::handle {{ background: {t.line}; }}
QSplitter::handle:hover {{ background: {t.accent}; }}
QStatusBar {{ background: {t.window}; border-top: 1px solid {t.line}; }}
QStatusBar::item {{ border: none; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
"""


def _buttons(t: Tones) -> str:
    return f"""
QPushButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border};
    border-radius: 7px; padding: 5px 12px; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.line}; }}
QPushButton:focus {{ border: 1px solid {t.accent}; }}
QPushButton:disabled {{ color: {t.disabled}; background: {t.window}; border-color: {t.line}; }}
QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent};
    border: 1px solid {t.accent}; }}
QPushButton[kind="primary"]:hover {{ background: {t.accent_hover}; }}
QPushButton[kind="primary"]:focus {{ border: 1px solid {t.text}; }}
QPushButton[kind="primary"]:disabled {{ background: {t.neutral_soft}; color: {t.disabled};
    border-color: {t.neutral_soft}; }}
QPushButton[kind="link"] {{ background: transparent; color: {t.accent}; border: none;
    border-radius: 4px; padding: 1px 3px; text-align: left; }}
QPushButton[kind="link"]:hover {{ background: {t.accent_soft}; color: {t.on_accent_soft}; }}
QPushButton[kind="link"]:focus {{ background: {t.accent_soft}; color: {t.on_accent_soft}; }}
QPushButton[kind="link"]:disabled {{ color: {t.disabled}; }}
QPushButton[kind="quiet"] {{ background: transparent; color: {t.muted}; border: none;
    border-radius: 6px; padding: 3px 7px; text-align: left; }}
QPushButton[kind="quiet"]:hover, QPushButton[kind="quiet"]:focus {{ background: {t.hover};
    color: {t.text}; }}
QToolButton {{ background: transparent; color: {t.text}; border: 1px solid transparent;
    border-radius: 7px; padding: 4px; }}
QToolButton:hover {{ background: {t.hover}; }}
QToolButton:pressed {{ background: {t.line}; }}
QToolButton:checked {{ background: {t.selected}; }}
QToolButton:focus {{ border: 1px solid {t.accent}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QToolButton[kind="round"] {{ background: {t.accent}; border-radius: 10px; }}
QToolButton[kind="round"]:hover {{ background: {t.accent_hover}; }}
QToolButton[kind="round"]:disabled {{ background: {t.neutral_soft}; }}
QToolButton[kind="round"]:focus {{ border: 2px solid {t.text}; }}
"""


def _inputs(t: Tones, line: int) -> str:
    shade = "dark" if t.text > "#8" else "light"
    down = resource("icons", f"dropdown-{shade}.svg")
    tick = resource("icons", f"tick-{shade}.svg")
    return f"""
QLineEdit, QComboBox, QSpinBox {{ background: {t.surface}; color: {t.text};
    border: 1px solid {t.border}; border-radius: 7px; padding: 4px 8px;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus {{ border: 1px solid {t.accent}; }}
QLineEdit:disabled, QComboBox:disabled {{ color: {t.disabled}; }}
QComboBox::drop-down {{ border: none; width: {round(line * 1.5)}px; }}
QComboBox::down-arrow {{ image: url("{down.as_posix()}"); width: {round(line * 0.8)}px;
    height: {round(line * 0.8)}px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.border};
    selection-background-color: {t.selected}; selection-color: {t.text}; outline: none; }}
QLineEdit, QPlainTextEdit {{ placeholder-text-color: {t.muted}; }}
QPlainTextEdit, QTextEdit {{ background: transparent; color: {t.text}; border: none;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QCheckBox, QRadioButton {{ color: {t.text}; spacing: 8px;
    padding: 2px 2px 2px 0; border-radius: 4px; border: 1px solid transparent; }}
QCheckBox:focus, QRadioButton:focus {{ border: 1px solid {t.accent}; }}
QCheckBox:disabled {{ color: {t.disabled}; }}
QCheckBox::indicator {{ width: {line}px; height: {line}px; border: 1px solid {t.muted};
    border-radius: 4px; background: {t.surface}; }}
QCheckBox::indicator:checked {{ background: {t.accent}; border-color: {t.accent};
    image: url("{tick.as_posix()}"); }}
QCheckBox::indicator:disabled {{ border-color: {t.border}; background: {t.window}; }}
QProgressBar {{ background: {t.free_cell}; border: none; border-radius: 2px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 2px; }}
"""


def _lists(t: Tones) -> str:
    return f"""
QTreeView, QListView, QTableView {{ background: transparent; color: {t.text}; border: none;
    outline: none; selection-background-color: {t.selected}; selection-color: {t.text}; }}
QTreeView#table {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 8px; }}
QTreeView#table::item {{ padding: 5px 6px; }}
QTreeView#table::item:selected {{ background: {t.selected}; color: {t.text}; }}
QTreeView {{ show-decoration-selected: 0; }}
QListView#chats::item {{ padding: 7px 10px; border-radius: 7px; color: {t.text}; }}
QListView#chats::item:hover {{ background: {t.hover}; }}
QListView#chats::item:selected {{ background: {t.selected}; color: {t.text}; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{ background: transparent; color: {t.muted}; border: none;
    border-bottom: 1px solid {t.line}; padding: 5px 8px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {t.border}; border-radius: 4px; margin: 1px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _rest(t: Tones) -> str:
    return f"""
QMenuBar {{ background: {t.window}; color: {t.text}; border-bottom: 1px solid {t.line};
    padding: 1px 4px; }}
QMenuBar::item {{ background: transparent; padding: 4px 9px; border-radius: 6px; }}
QMenuBar::item:selected {{ background: {t.hover}; }}
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 5px; }}
QMenu::item {{ padding: 5px 26px 5px 10px; border-radius: 5px; }}
QMenu::item:selected {{ background: {t.selected}; }}
QMenu::item:disabled {{ color: {t.disabled}; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 5px 8px; }}
QGroupBox {{ border: none; }}
"""
