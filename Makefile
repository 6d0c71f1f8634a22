# Thin names for .ci/do, which needs no make.
.PHONY: demo test long check lint supply sbom lock format clean
demo test long check lint supply sbom lock format:
	@sh .ci/do $@
clean:
	rm -rf .venv .venv-run .venv-tools dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
