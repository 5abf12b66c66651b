"""Run a command until standard input closes: no server outlives the process that started it, however that one dies.

Run as a script, with nothing of this package imported: `python -IS leash.py COMMAND...`. It prints the command's
process id, sends the command's own output to standard error, and ends with its exit code.
"""

import os
import subprocess
import sys
import threading

GRACE_SECONDS = 10.0
"""How long a server may take to stop before it is killed."""
_CHUNK_BYTES = 4096


def main(command: list[str]) -> int:
    """Run `command` to its end, or to the end of standard input; return its exit code."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr) as server:
        print(server.pid, flush=True)
        threading.Thread(target=_release, args=(server,), daemon=True).start()
        return server.wait()


def _release(server: "subprocess.Popen[bytes]") -> None:
    """Stop the server once nobody holds the other end of standard input."""
    # Not sys.stdin: its lock, held by this thread, would make the interpreter abort where the server ends first.
    while os.read(0, _CHUNK_BYTES):
        pass
    server.terminate()
    try:
        server.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
