"""A model goes in, a bundle comes out."""
