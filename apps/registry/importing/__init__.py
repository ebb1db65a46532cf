"""Registered models that were made elsewhere: from folders and servers of MLflow."""
