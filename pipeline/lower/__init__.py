"""Backends that turn a float model into something a target runs."""
