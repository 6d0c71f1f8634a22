"""The subject line: units by their many names, and the four fields a submission must carry."""
