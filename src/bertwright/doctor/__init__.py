"""What this machine is, what works here, and what is missing: findings, and nothing printed."""
