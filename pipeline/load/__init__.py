"""One input format a module: each turns a file into a float model or a graph."""
