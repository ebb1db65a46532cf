"""Runs that were made elsewhere: read from files, folders and servers of MLflow."""
