"""Makes `python -m coagent` the same as the command `coagent`."""

import sys

from coagent.cli import main

if __name__ == "__main__":
    sys.exit(main())
