"""ThorlabsPM100: settings and readings of a Thorlabs meter by property. argv: TCP port.

Must not import anything of lbl.
"""

import json
import sys

import pyvisa
from ThorlabsPM100 import ThorlabsPM100

inst = pyvisa.ResourceManager("@py").open_resource(
    f"TCPIP::127.0.0.1::{sys.argv[1]}::SOCKET",
    read_termination="\n",
    write_termination="\n",
    timeout=3000,
)
meter = ThorlabsPM100(inst=inst)
meter.sense.correction.wavelength = 570
meter.sense.average.count = 10
meter.sense.power.dc.range.auto = "ON"
meter.configure.scalar.power()
seen = {
    "wavelength": meter.sense.correction.wavelength,
    "longest": meter.sense.correction.maximum_wavelength,
    "averages": meter.sense.average.count,
    "auto": meter.sense.power.dc.range.auto,
    "unit": meter.sense.power.dc.unit,
    "configured": meter.getconfigure,
    "readings": [meter.read for _ in range(3)],
    "error": meter.system.error.next,
}
inst.close()
print(json.dumps(seen))
