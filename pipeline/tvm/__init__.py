"""Layers compiled by TVM: from the graph to loops, tuned, and to assembly without a runtime."""
