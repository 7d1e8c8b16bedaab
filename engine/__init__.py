"""The Engram engine: notes into slow memory, answers out of it. Knows no Qt."""
