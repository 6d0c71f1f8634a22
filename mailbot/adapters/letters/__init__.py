"""Letters into text and HTML through the templates."""
