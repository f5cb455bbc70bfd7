"""`python -m edgec`."""

from edgec.pipeline.cli import main

if __name__ == "__main__":
    main()
