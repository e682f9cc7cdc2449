"""The verdicts last recorded, and what a new verdict means beside them."""
