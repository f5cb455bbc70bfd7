"""Makes a float model smaller and faster before it is lowered: recipes of steps, each measured."""
