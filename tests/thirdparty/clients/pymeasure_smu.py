"""pymeasure: a Keithley 2450 sources and measures. argv: TCP port.

Must not import anything of lbl. The library's buffer helpers are those of the 2400: left out.
"""

import json
import sys

from pymeasure.instruments.keithley import Keithley2450

smu = Keithley2450(
    f"TCPIP::127.0.0.1::{sys.argv[1]}::SOCKET",
    visa_library="@py",
    read_termination="\n",
    write_termination="\n",
    timeout=5000,
)
seen = {"identity": smu.id}
smu.reset()
smu.apply_voltage(voltage_range=2, compliance_current=0.01)
seen["limit"] = smu.compliance_current
smu.measure_current(nplc=1, current=0.01)
smu.source_voltage = 0.5
seen["level"] = smu.source_voltage
seen["source"] = smu.source_mode
smu.enable_source()
seen["on"] = smu.source_enabled
seen["current"] = smu.current
smu.disable_source()
smu.apply_current(compliance_voltage=10)
smu.measure_voltage(nplc=1, voltage=2)
smu.source_current = 0.0
smu.enable_source()
seen["open circuit"] = smu.voltage
smu.shutdown()  # ramps to nothing, then puts the output off
seen["off"] = smu.source_enabled
seen["errors"] = smu.check_errors()
smu.adapter.close()
print(json.dumps(seen))
