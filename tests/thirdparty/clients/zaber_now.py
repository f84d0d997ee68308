"""zaber-motion: the maker's own library moves two chained axes. argv: TCP port.

Must not import anything of lbl. Native units only, and no identification: both would ask the
maker's database on the internet.
"""

import json
import sys

from zaber_motion import CommandFailedException
from zaber_motion.ascii import Connection

with Connection.open_tcp("127.0.0.1", int(sys.argv[1])) as connection:
    chain = connection.detect_devices(identify_devices=False)
    seen = {"addresses": [device.device_address for device in chain]}
    lift = chain[0].get_axis(1)
    seen["homed before"] = lift.is_homed()
    lift.home()
    seen["homed"] = lift.is_homed()
    lift.move_absolute(20000)
    seen["absolute"] = lift.get_position()
    lift.move_relative(-5000)
    seen["relative"] = lift.get_position()
    lift.settings.set("maxspeed", 20000)
    seen["maxspeed"] = lift.settings.get("maxspeed")
    lift.move_absolute(100000, wait_until_idle=False)
    seen["busy"] = lift.is_busy()
    lift.stop()
    seen["stopped"] = lift.get_position()
    seen["flags"] = sorted(lift.warnings.clear_flags())
    seen["version"] = chain[0].settings.get("version")
    try:
        lift.move_absolute(10**9)
    except CommandFailedException as refusal:
        seen["too far"] = refusal.details.response_data
    turn = chain[1].get_axis(1)
    turn.home()
    turn.move_absolute(76800)
    seen["turned"] = turn.get_position()
    seen["lift while turning"] = lift.get_position()
print(json.dumps(seen))
