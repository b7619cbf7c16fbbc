"""`python -m nanorecipes` is the command `nanorecipes`."""

from nanorecipes.cli.main import main

if __name__ == "__main__":
    main()
