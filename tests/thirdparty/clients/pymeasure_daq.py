"""pymeasure: a Keithley DAQ6510 measures through its channels. argv: TCP port.

Must not import anything of lbl. The library reads `sense_mode` as VOLT where the instrument says
VOLT:DC (so does the maker's manual), so that property is left out.
"""

import json
import sys

from pymeasure.instruments.keithley import KeithleyDAQ6510

daq = KeithleyDAQ6510(
    f"TCPIP::127.0.0.1::{sys.argv[1]}::SOCKET",
    visa_library="@py",
    read_termination="\n",
    write_termination="\n",
    timeout=5000,
)
seen = {"identity": daq.id}
daq.reset()
daq.open_channels([101, 102])
daq.close_channel(101)
daq.measure_voltage(nplc=1, voltage=10, auto_range=False)
seen["nplc"] = daq.voltage_nplc
seen["range"] = daq.voltage_range
seen["voltage"] = daq.voltage
daq.open_channel(101)
seen["errors"] = daq.check_errors()
daq.adapter.close()
print(json.dumps(seen))
