# Thin names for .ci/do, which needs no make.
.PHONY: demo test check lint format clean
demo test check lint format:
	@sh .ci/do $@
clean:
	rm -rf .venv demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
