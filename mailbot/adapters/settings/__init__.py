"""What the operator sets: file, environment, providers, credentials, accounts."""
