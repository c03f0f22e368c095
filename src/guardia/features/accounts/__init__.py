"""Companies, people, tokens and agent machines."""
