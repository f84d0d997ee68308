"""The service file for systemd that starts autonomous mode at boot. Pure text."""

import math
from typing import Final

TEXT: Final = """\
# Made by: lbl auto {config} --unit
[Unit]
Description=lbl, autonomous: {config}
# Nobody is there to reset a counter: how often is often enough is the program's own affair.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} auto {config}
# 0 the film is done, 2 the files are wrong, 3 the film was stopped: another start changes nothing.
Restart=always
RestartPreventExitStatus=0 2 3
RestartSec=1
WatchdogSec={watchdog}
# The guardian has to outlive a controller that was killed: it parks the bench. Leave it alone.
KillMode=process
# A stop is a hold: the substrate goes through its rinses first.
TimeoutStopSec={patience}
TimeoutStartSec=120

[Install]
WantedBy=multi-user.target
"""
PATIENCE_S: Final = 1800  # the longest way through the rinses, with room


def unit(config: str, program: str, watchdog_s: float) -> str:
    """The file for this configuration; `program` is the path of `lbl`."""
    return TEXT.format(
        config=_quoted(config),
        program=_quoted(program),
        watchdog=math.ceil(watchdog_s),
        patience=PATIENCE_S,
    )


def _quoted(path: str) -> str:
    """A path as systemd reads it: percent signs doubled, quoted if it has blanks."""
    path = path.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{path}"' if any(one.isspace() for one in path) else path
