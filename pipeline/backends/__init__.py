"""Turn a model into something that a device runs, one way a module."""
