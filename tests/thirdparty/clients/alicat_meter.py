"""alicat: polls a liquid flow meter. argv: pty or host:port. GPL-2.0, so only ever its own process.

Must not import anything of lbl.
"""

import asyncio
import json
import sys

from alicat import FlowMeter


async def look() -> dict[str, object]:
    async with FlowMeter(sys.argv[1], unit="A") as meter:
        seen: dict[str, object] = {
            "first": await meter.get(),
            "firmware": await meter.get_firmware(),
        }
        await meter.tare_pressure()
        await meter.tare_volumetric()
        seen["tared"] = await meter.get()
        await meter.lock()
        seen["locked"] = await meter.is_locked()
        await meter.unlock()
        seen["unlocked"] = not await meter.is_locked()
        return seen


print(json.dumps(asyncio.run(look())))
