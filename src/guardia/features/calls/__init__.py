"""Phone calls: their logs, recordings, pages to engineers."""
