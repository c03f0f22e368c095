"""The customers' agent: trust decisions (`trust`), the folder (`store`), fetching, scanning, proving, the command."""
