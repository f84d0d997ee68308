"""nesp-lib: doses and counters of a New Era pump. argv: pty, safe-mode time-out in s (0 = basic).

Must not import anything of lbl. The rate is passed because the library assumes 9600 baud. The pump
is first met in basic mode: after power-on it answers with its alarm there, in basic framing, and
the library waits without end for a safe packet if its first command is already one.
"""

import json
import sys
import time

from nesp_lib import Port, Pump, PumpingDirection

path, safe_s = sys.argv[1], int(sys.argv[2])
with Port(path, 19200) as port:
    pump = Pump(port)
    seen = {"model": pump.model_number, "firmware": pump.firmware_version}
    pump.safe_mode_timeout_s = safe_s
    seen["safe"] = pump.safe_mode_timeout_s
    pump.syringe_diameter_mm = 14.43
    seen["diameter"] = pump.syringe_diameter_mm
    pump.volume_infused_clear()
    pump.volume_withdrawn_clear()
    pump.pumping_rate_ml_per_min = 6.0
    seen["rate"] = pump.pumping_rate_ml_per_min
    pump.pumping_direction = PumpingDirection.INFUSE
    pump.pumping_volume_ml = 0.1
    seen["volume"] = pump.pumping_volume_ml
    pump.run()  # returns when the pump says that it has stopped
    seen["infused"] = [pump.volume_infused_ml]
    pump.run()
    seen["infused"].append(pump.volume_infused_ml)
    pump.pumping_direction = PumpingDirection.WITHDRAW
    pump.run()
    seen["withdrawn"] = pump.volume_withdrawn_ml
    pump.run(wait_while_running=False)
    seen["running"] = pump.running
    pump.stop()
    seen["stopped"] = pump.status.name
    try:
        pump.pumping_rate_ml_per_min = 500.0
    except ValueError:
        seen["too fast"] = "refused"
    if safe_s:
        time.sleep(1.25 * safe_s)  # only the library's heartbeat keeps the pump from its alarm T
        seen["after silence"] = pump.status.name
    pump.safe_mode_timeout_s = 0  # ends the heartbeat
print(json.dumps(seen))
