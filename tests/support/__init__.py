"""What tests share: the database, builders, a cast of characters."""
