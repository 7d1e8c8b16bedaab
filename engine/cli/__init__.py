"""The command line: the same engine, no window. One small file a command or group."""
