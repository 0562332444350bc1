"""`python -m mindseye` is `mindseye`."""

import sys

from mindseye.cli.main import main

sys.exit(main())
