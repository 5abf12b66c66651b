"""Run a command until standard input closes: no server outlives the process that started it, however that one dies.

Run as a script, with nothing of this package imported: `python -IS leash.py FOLDER COMMAND...`. It prints the command's
process id, sends the command's own output to standard error, and ends with its exit code. A word on standard input asks
the server to stop; where it closes without one, whoever started the server is gone: it is killed, and FOLDER removed.
"""

import shutil
import subprocess
import sys
import threading

GRACE_SECONDS = 10.0
"""How long a server may take to stop before it is killed."""


def main(folder: str, command: list[str]) -> int:
    """Run `command` to its end, or until it is released; return its exit code."""
    abandoned = threading.Event()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr) as server:
        print(server.pid, flush=True)
        threading.Thread(target=_release, args=(server, abandoned), daemon=True).start()
        code = server.wait()
    if abandoned.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _release(server: "subprocess.Popen[bytes]", abandoned: threading.Event) -> None:
    """End the server once nobody holds the other end of standard input."""
    if not sys.stdin.buffer.read():
        abandoned.set()
        server.kill()
        return
    server.terminate()
    try:
        server.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
