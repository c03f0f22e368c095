"""Mail in and out: what arrived, what became of it, what was sent, and what became of that."""
