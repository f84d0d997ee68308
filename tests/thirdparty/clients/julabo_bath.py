"""julabo: a circulator is set, started, watched and stopped. argv: TCP port.

Must not import anything of lbl. TCP, because the library's own serial connection does not work
with today's pyserial, and because a pty has no seven bits and parity.
"""

import json
import sys
import time

from julabo import JulaboMS, connection_for_url

connection = connection_for_url(f"tcp://127.0.0.1:{sys.argv[1]}", concurrency="syncio")
connection.open()
bath = JulaboMS(connection)
seen = {"identity": bath.identification(), "status": bath.status(), "before": bath.is_started()}
seen["first"] = bath.bath_temperature()
bath.set_point_1(30)
seen["setpoint"] = bath.set_point_1()
bath.start()
seen["started"] = bath.is_started()
seen["running"] = bath.status()
for _ in range(200):
    seen["power"] = max(seen.get("power", 0.0), bath.heating_power())
    seen["last"] = bath.bath_temperature()
    if seen["last"] > seen["first"] + 1.0:
        break
    time.sleep(0.02)
seen["safety"] = bath.safety_temperature()
bath.set_point_1(900)
seen["refused"] = bath.status()
seen["kept"] = bath.set_point_1()
bath.stop()
seen["stopped"] = bath.is_started()
seen["end"] = bath.status()
connection.close()
print(json.dumps(seen))
