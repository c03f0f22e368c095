"""Plans, contracts, named contacts and the premium quota ledger."""
