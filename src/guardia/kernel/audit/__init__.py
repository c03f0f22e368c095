"""Who did what to which thing, kept for good; written in the transaction of the act."""
