"""Why publishing stops: one exception for each different reaction of the person who meets it."""


class ReleaseRefused(Exception):
    """The release may not go on this lane; nothing was changed. Publish another number, or another lane first."""


class TreeDamaged(Exception):
    """What is on disk does not verify; restore the tree from its copy before publishing."""


class KeysRefused(Exception):
    """The key folder cannot be used: missing, open to others, wrong passphrase, or without the key that is needed."""


class EvidenceRefused(Exception):
    """The evidence is not signed by the given key, or does not speak of the given files."""
