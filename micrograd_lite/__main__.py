"""`python -m micrograd_lite` is the command `micrograd-lite`."""

from micrograd_lite.cli import run

if __name__ == "__main__":
    run()
