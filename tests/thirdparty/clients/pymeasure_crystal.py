"""pymeasure: an INFICON SQM-160 crystal monitor, binary frames with a 14-bit CRC. argv: pty.

Must not import anything of lbl.
"""

import json
import sys

from pymeasure.instruments.inficon import SQM160

monitor = SQM160(f"ASRL{sys.argv[1]}::INSTR", visa_library="@py")
seen = {
    "reset": [monitor.reset_flag, monitor.reset_flag],
    "firmware": monitor.firmware_version,
    "sensors": monitor.number_of_channels,
    "frequency": monitor.sensor_1.frequency,
    "life": monitor.sensor_1.crystal_life,
    "mean rate": monitor.average_rate,
}
monitor.reset_thickness_rate()
seen["thickness"] = monitor.sensor_1.thickness
seen["rate"] = monitor.sensor_1.rate
monitor.reset_time()
monitor.adapter.close()
print(json.dumps(seen))
