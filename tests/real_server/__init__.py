"""Microsoft's own scoring server, azureml-inference-server-http, as a real endpoint for the tests."""
