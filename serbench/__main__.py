"""`python -m serbench` is the `serbench` program."""

from serbench.cli.main import main

if __name__ == "__main__":
    main()
