"""The steps of a recipe, one technique a module; found by their place, see `technique`."""
