"""What knows the bytes: formatters, replies, server-sent events."""
