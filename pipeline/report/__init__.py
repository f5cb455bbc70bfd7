"""A bundle's results as tables and files."""
