"""Many rows, paid once: tables, the ledger of what was bought, the runner in between."""
