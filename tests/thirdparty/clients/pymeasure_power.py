"""pymeasure: wavelength and power of a Thorlabs meter. argv: TCP ports of meter and LED driver.

Must not import anything of lbl. Nobody sells a client for the LED driver: three plain SCPI lines.
"""

import json
import sys

import pyvisa
from pymeasure.instruments.thorlabs import ThorlabsPM100USB

# A socket has no end of message: PyVISA wants to be told what ends a line.
END = {"read_termination": "\n", "write_termination": "\n", "timeout": 3000}
meter_port, led_port = sys.argv[1:]
led = pyvisa.ResourceManager("@py").open_resource(f"TCPIP::127.0.0.1::{led_port}::SOCKET", **END)
meter = ThorlabsPM100USB(f"TCPIP::127.0.0.1::{meter_port}::SOCKET", visa_library="@py", **END)
seen = {"identity": meter.id, "sensor": meter.sensor_name, "is power": meter.is_power_sensor}
seen["span"] = [meter.wavelength_min, meter.wavelength_max]
meter.wavelength = 5000
seen["clamped"] = meter.wavelength
meter.wavelength = 570
seen["wavelength"] = meter.wavelength
seen["dark"] = meter.power
led.write("SOURCE1:CCURENT:CURRENT 0.02")
led.write("OUTPUT1:STATE ON")
seen["led"] = led.query("OUTPUT1:STATE?")
seen["lit"] = meter.power
seen["again"] = meter.power
led.write("OUTPUT1:STATE OFF")
meter.adapter.close()
led.close()
print(json.dumps(seen))
