"""Put an image on a device, one tool a module."""
