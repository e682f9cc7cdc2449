"""What the documents say: their figures and recipes as data, one module a document."""
