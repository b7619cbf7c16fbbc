"""The command line: each command reads options, calls the public API, and lets `view` print."""
