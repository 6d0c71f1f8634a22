"""Official documents as values: what stands in them, in which order. Not what they look like."""
