"""Readers: one small file a format, each with a `FORMAT` that `registry` finds by itself."""
