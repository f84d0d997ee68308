"""srsinst-qcm: the maker's own library reads an SRS QCM200. argv: pty.

Must not import anything of lbl.
"""

import json
import sys
import time

from srsinst.qcm.instruments.qcm200.qcm import QCM200

crystal = QCM200("serial", sys.argv[1], 9600)
seen = {"identity": crystal.check_id(), "status": crystal.get_status()}
crystal.cmd.gate_time = 0.1
seen["gate"] = crystal.cmd.gate_time
time.sleep(0.3)
seen["frequency"] = crystal.cmd.frequency
seen["resistance"] = crystal.cmd.resistance
crystal.cmd.reset_frequency_offset()
seen["offset"] = crystal.cmd.frequency_offset
crystal.cmd.frequency_scale = 1000
seen["scale"] = crystal.cmd.frequency_scale
seen["end"] = crystal.get_status()
crystal.disconnect()
print(json.dumps(seen))
