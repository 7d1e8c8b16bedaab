"""Training of the base model: tokenizer, prose, memory. Never imported by the application."""
