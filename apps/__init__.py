"""The governed portal: one Django app per noun, each importing only downwards."""
