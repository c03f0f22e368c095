"""What every request body has in common: a field that is not known is refused, so that a misspelt one is not lost."""

from ninja import Schema
from pydantic import ConfigDict


class Asked(Schema):
    """Base of request bodies."""

    model_config = ConfigDict(extra="forbid")
