"""What ships beside the code: base model, icons, sample notes, desktop entry."""
