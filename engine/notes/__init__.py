"""Notes on disk: finding, reading, watching them. Knows neither torch nor Qt."""
