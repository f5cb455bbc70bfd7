"""Talk to a device, one kind of wire a module."""
