"""What needs Azure beyond an endpoint and its key: Entra ID tokens and the system keyring."""
