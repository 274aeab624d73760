"""What a prompt is made of: variables, schemas, and the JSON or code found in a response."""
