"""Results in the formats of other tools, one module each: `export(cases)` returns the text."""
