"""The desktop window: Qt only. It meets the engine at `engine.api` and nowhere else."""
