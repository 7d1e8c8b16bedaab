"""The panes, pages and dialogs of the window."""
