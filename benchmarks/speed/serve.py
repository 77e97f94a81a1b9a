"""Load on a served model: requests of 3 s files at a fixed rate, their latencies, and the server's memory.

    python benchmarks/speed/serve.py MODEL [--rate 50] [--requests 10000]

Requests are sent when they are due, whether earlier ones are answered or not; a latency counts from then. Prints its
percentiles, what was not answered with 200, processor time a request, and the server's memory.
"""

import argparse
import concurrent.futures
import io
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import requests
import soundfile

SENDERS = 32


def start(model: str) -> tuple[subprocess.Popen, str]:
    code = "import sys; from serbench.cli.main import main; sys.argv[0] = 'serbench'; main()"
    command = [sys.executable, "-c", code, "serve", model, "--port", "0", "--max-requests", "64"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if " at http" in line:
            return server, line.split(" at ")[1].strip().rstrip("/")
    raise SystemExit("the server did not start")


def recording() -> bytes:
    stream = io.BytesIO()
    swell = np.abs(np.sin(np.linspace(0, 12, 48_000)))
    soundfile.write(stream, 0.1 * swell * np.random.default_rng(0).standard_normal(48_000), 16_000, format="WAV")
    return stream.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--requests", type=int, default=10_000)
    given = parser.parse_args()
    server, address = start(given.model)
    process, content = psutil.Process(server.pid), recording()
    local, latencies, codes, memory = threading.local(), [], [], []
    try:
        while True:
            try:
                if requests.get(f"{address}/health", timeout=5).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.2)

        def send(due: float) -> None:
            if not hasattr(local, "session"):
                local.session = requests.Session()
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
            codes.append(local.session.post(f"{address}/predict", data=content, timeout=60).status_code)
            latencies.append(time.perf_counter() - due)
            if len(latencies) % (given.requests // 10) == 0:
                memory.append(process.memory_info().rss / 2**20)

        for _ in range(20):
            send(time.perf_counter())
        latencies.clear(), codes.clear(), memory.clear()
        before = sum(process.cpu_times()[:2])
        begun = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(send, [begun + number / given.rate for number in range(given.requests)]))
        seconds = time.perf_counter() - begun
        spent = sum(process.cpu_times()[:2]) - before
    finally:
        server.terminate()
        server.wait(20)
    middle, high, highest = np.percentile(latencies, [50, 95, 99])
    print(f"{len(latencies) / seconds:.1f} requests a second over {seconds:.0f} s (asked for {given.rate:g})")
    print(f"latency ms: median {1e3 * middle:.0f}, 95 % {1e3 * high:.0f}, 99 % {1e3 * highest:.0f}")
    print(
        f"not 200: {sum(code != 200 for code in codes)}; processor time {1e3 * spent / len(latencies):.1f} ms a request"
    )
    print("memory of the server after each tenth, MiB:", *(f"{size:.0f}" for size in memory))


if __name__ == "__main__":
    main()
