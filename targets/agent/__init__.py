"""The program that runs a model file on a device, in an interpreter that the device's Python has.

It stands alone: the standard library, numpy and one runtime, from Python 3.9 on. `archive.py` packs
it into one file.
"""
