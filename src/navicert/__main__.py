"""`python -m navicert`: the command line, where the script `navicert` is not on the path."""

from navicert.cli.main import console

if __name__ == "__main__":
    console()
