"""What the engine's thread does, one small file a kind of work. Nothing here knows of threads."""
