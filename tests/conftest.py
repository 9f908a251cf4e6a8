"""What holds for all tests."""

import os

from hypothesis import settings

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# Tests run on each core, and the threads of a library that wait for each other by spinning would take the cores from
# them: training the small regressors of manifests/retrain.py took eight times the CPU. It is read when the library is
# loaded, here and in the processes that tests start.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
