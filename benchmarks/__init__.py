import sys
from pathlib import Path

from colorize_core.threads import wait_briefly

wait_briefly()  # as the app and the command line do, before torch comes
# Some use helpers of the tests, which import one another by their bare names, as pytest has them.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
