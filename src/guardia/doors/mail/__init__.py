"""The door for email: bytes on sockets into the spool, out of the spool into one journey."""
