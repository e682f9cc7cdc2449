"""`python -m pytest_claims.runs export STORE FILE` and `import FILE STORE`."""

import sys

from pytest_claims.runs.transfer import main

sys.exit(main(sys.argv[1:]))
