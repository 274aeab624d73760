"""Several responses side by side."""
