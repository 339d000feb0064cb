"""Pictures: opened and saved, their colours, gray and chroma."""
