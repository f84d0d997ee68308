"""vicivalve: a ten-position selector valve. argv: pty.

Must not import anything of lbl. The library returns when the actuator has acknowledged, not when it
has arrived, so the position is asked until it stays. Its home() means a two-position valve.
"""

import json
import sys
import time

from serial import Serial
from vicivalve import VICI


def arrive(valve: VICI) -> int:
    """The position once it has not changed for three looks."""
    looks = [valve.current_position()]
    for _ in range(100):
        time.sleep(0.05)
        looks.append(valve.current_position())
        if len(set(looks[-3:])) == 1 and len(looks) > 10:
            return looks[-1]
    raise TimeoutError(f"the valve goes on turning: {looks}")


with Serial(sys.argv[1], 9600) as line:
    valve = VICI(line, positions=10, address=1)
    valve.home()
    seen = {"home": arrive(valve)}
    seen["moved"] = [valve.switch_valve(4), arrive(valve)]
    seen["clockwise"] = [valve.move_clockwise_to_position(7), arrive(valve)]
    seen["back"] = [valve.move_counterclockwise_to_position(2), arrive(valve)]
print(json.dumps(seen))
