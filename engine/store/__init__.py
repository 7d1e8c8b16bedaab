"""What keeps a memory on disk: slot files, ledger, snapshots, archives. Knows neither torch nor Qt.

`store.Store` is the way in.
"""
