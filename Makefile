# Thin names for .ci/do, which needs no make.
.PHONY: demo test long check lint format clean
demo test long check lint format:
	@sh .ci/do $@
clean:
	rm -rf .venv demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
