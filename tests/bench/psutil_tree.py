"""Microseconds that psutil needs for one sample of a process tree.

Usage: psutil_tree.py PID resident|full (psutil from PyPI; used by bench_sampling alone)
"""

import sys
import time

import psutil


def resident(root):
    """What every tracker does: the resident memory of the tree."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            pass
    return total


def full(root):
    """The counters of one of LoadLab's samples as far as psutil has them (it has neither faults nor high-water marks):
    resident, shared and swap, CPU, threads, bytes read. Swap is told by memory_full_info() alone."""
    total = [0] * 8
    for process in [root, *root.children(recursive=True)]:
        try:
            with process.oneshot():
                memory = process.memory_full_info()
                cpu = process.cpu_times()
                read = process.io_counters()
                total[0] += memory.rss
                total[1] += memory.shared
                total[2] += memory.swap
                total[3] += int((cpu.user + cpu.system) * 1e9)
                total[4] += process.num_threads()
                total[5] += read.read_bytes
                total[6] += read.read_chars
                total[7] += process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            pass
    return total


def main():
    root = psutil.Process(int(sys.argv[1]))
    sample = {"resident": resident, "full": full}[sys.argv[2]]
    count = 100
    sample(root)
    start = time.perf_counter()
    for _ in range(count):
        sample(root)
    print((time.perf_counter() - start) * 1e6 / count)


if __name__ == "__main__":
    main()
