"""Microseconds that psutil needs for one sample of a process tree with the counters of one of LoadLab's samples.

Usage: psutil_tree.py PID (psutil from PyPI; used by bench_sampling alone)
"""

import sys
import time

import psutil


def sample(root):
    """Resident, swap, faults, CPU, threads and bytes read of the tree, as a user of psutil would write it."""
    total = [0] * 9
    for process in [root, *root.children(recursive=True)]:
        try:
            with process.oneshot():
                memory = process.memory_info()
                cpu = process.cpu_times()
                read = process.io_counters()
                total[0] += memory.rss
                total[1] += memory.shared
                total[2] += memory.data
                total[3] += int((cpu.user + cpu.system) * 1e9)
                total[4] += process.num_threads()
                total[5] += read.read_bytes
                total[6] += read.read_chars
                total[7] += len(process.status())
                total[8] += 1
        except psutil.NoSuchProcess:
            pass
    return total


def main():
    root = psutil.Process(int(sys.argv[1]))
    count = 100
    sample(root)
    start = time.perf_counter()
    for _ in range(count):
        sample(root)
    print((time.perf_counter() - start) * 1e6 / count)


if __name__ == "__main__":
    main()
