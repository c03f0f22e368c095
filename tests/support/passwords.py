"""Argon2 with the least work, for the tests' many people; the real one takes a second for each on a busy machine."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The real algorithm, made quick."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
