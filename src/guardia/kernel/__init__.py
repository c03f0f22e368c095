"""Clock, vocabulary, errors, ids, transactions, audit and outbox."""
