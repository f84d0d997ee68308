"""zaber.serial: the maker's earlier library, CR LF and no checksums. argv: pty.

Must not import anything of lbl.
"""

import json
import sys

from zaber.serial import AsciiDevice, AsciiSerial

port = AsciiSerial(sys.argv[1])
device = AsciiDevice(port, 1)
seen = {"flag": device.send("").warning_flag}
device.home()
seen["homed flag"] = device.send("").warning_flag
device.move_abs(30000)
seen["absolute"] = device.get_position()
device.axis(1).move_rel(-1000)
seen["relative"] = device.get_position()
seen["limit"] = device.send("get limit.max").data
seen["refusal"] = device.send("move abs 999999999").data
seen["unknown"] = device.send("jump").data
device.send("move max")
seen["busy"] = device.get_status()
device.stop()
seen["stopped"] = device.get_position()
port.close()
print(json.dumps(seen))
