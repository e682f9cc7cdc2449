"""`python -m pytest_claims.runs`: export and import runs, publish them as evidence, compare two sets of them."""

import sys

from pytest_claims.runs.transfer import main

sys.exit(main(sys.argv[1:]))
