"""Everything between a request and its bytes: retries, connections, rate limits, recording, errors by status."""
