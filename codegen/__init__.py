"""A graph and a plan become C."""
