"""What needs Azure beyond an endpoint and its key, with fake packages in its place."""
