"""mettler-toledo-device: identity, weights, zero of an MT-SICS balance. argv: pty.

Must not import anything of lbl.
"""

import json
import sys

from mettler_toledo_device import MettlerToledoDevice

balance = MettlerToledoDevice(port=sys.argv[1])
seen = {
    "serial": balance.get_serial_number(),
    "data": balance.get_balance_data(),
    "software": balance.get_software_version(),
    "level": balance.get_mtsics_level(),
    "weight": balance.get_weight(),
    "stable": balance.get_weight_stable(),
    "zeroed": balance.zero_stable(),
    "after zero": balance.get_weight(),
    "zeroed at once": balance.zero(),
}
balance.close()
print(json.dumps(seen))
