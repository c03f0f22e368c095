"""The server: it holds the database, keeps the contract to the minute and never opens a live sample."""
