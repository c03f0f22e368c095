"""Live views: server-sent events that say "changed"; the page then fetches itself."""
