"""C templates of the bench firmware: `common/`, and one folder a board family with its HAL."""
