"""The backbone, the slot and what turns them into answers."""
