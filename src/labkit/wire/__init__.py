"""What server and lab worker say to each other: the messages, and the sealed form in which samples travel."""
