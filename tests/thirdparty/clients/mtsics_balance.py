"""mt-sics-emulator: a balance by somebody else, for our driver; 12.3456 g lie on it. No arguments.

Must not import anything of lbl, and must listen on loopback only. Prints its port, then serves.
"""

import asyncio
import json

from mtsics.core.state import ScaleState
from mtsics.profiles import load
from mtsics.protocol.engine import MTSICSEngine
from mtsics.transport.tcp import TCPConfig, TCPTransport


async def serve() -> None:
    state = ScaleState(config=load("mt-xs204"))
    state.set_weight(12.3456, stable=True)
    transport = TCPTransport(MTSICSEngine(state), cfg=TCPConfig(host="127.0.0.1", port=0))
    _, port = await transport.start()
    print(json.dumps({"port": port}), flush=True)
    await transport.serve_forever()


asyncio.run(serve())
