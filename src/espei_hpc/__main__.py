"""``python -m espei_hpc`` is the command ``espei-hpc``."""

import sys

from espei_hpc.launch import main

sys.exit(main())
