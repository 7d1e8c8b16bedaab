"""What the window knows: notes, chats and snapshots, as Qt item models and plain stores."""
