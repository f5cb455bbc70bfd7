"""The supported ops, one a module."""
