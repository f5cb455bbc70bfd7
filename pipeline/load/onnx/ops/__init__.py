"""The importers of ONNX operators, one module an operator group; every module here is loaded."""
