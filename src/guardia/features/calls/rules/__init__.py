"""Pure rules of the feature: no Django, no I/O, no clock."""
