"""lakeshore: the maker's own library reads and sets a Model 336. argv: TCP port.

Must not import anything of lbl. TCP, because a pty has no seven bits and parity.
"""

import json
import sys

from lakeshore import Model336
from lakeshore.generic_instrument import InstrumentException

controller = Model336(ip_address="127.0.0.1", tcp_port=int(sys.argv[1]))
seen = {
    "model": controller.model_number,
    "serial": controller.serial_number,
    "firmware": controller.firmware_version,
    "kelvin": controller.get_kelvin_reading("A"),
    "celsius": controller.get_celsius_reading("A"),
}
controller.set_control_setpoint(1, 300.5)
seen["setpoint"] = controller.get_control_setpoint(1)
controller.set_heater_pid(1, 40, 20, 1)
seen["pid"] = controller.get_heater_pid(1)
controller.set_heater_range(1, Model336.HeaterRange.LOW)
seen["range"] = controller.get_heater_range(1).name
controller.set_setpoint_ramp_parameter(1, True, 5)
seen["ramp"] = controller.get_setpoint_ramp_parameter(1)
seen["output"] = controller.get_heater_output(1)
controller.set_heater_range(1, Model336.HeaterRange.OFF)
seen["off"] = controller.get_heater_range(1).name
try:
    controller.command("NONSENSE 1")
except InstrumentException as refusal:
    seen["refused"] = str(refusal)
seen["after"] = controller.get_control_setpoint(1)
controller.disconnect_tcp()
print(json.dumps(seen))
