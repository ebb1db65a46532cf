"""Searches of registered models and their versions."""
