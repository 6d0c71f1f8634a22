"""Documents that a person approves before they go out: drafted, decided, sent."""
