"""``python -m gmm1d.textbook`` checks the equations, and prints what it checked."""

from gmm1d.textbook.checks import main

if __name__ == "__main__":
    raise SystemExit(main())
