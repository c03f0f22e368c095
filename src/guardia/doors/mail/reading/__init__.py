"""Raw bytes of a message become a letter: pure, for any bytes whatever, and at need in a process that can be killed."""
