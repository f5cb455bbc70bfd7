"""What we build for, and how to reach it."""
