#!/usr/bin/env python3
"""What more threads would make of a training step, from the tasks of one that was measured.

    firefly bench --shape smollm2 --tasks tasks.json
    python tools/scaling_model/simulate.py tasks.json [--threads 1 2 8 28 56]

A region's tasks are taken in their order by whichever thread is free, as Parallel does; then all wait for the last one. A
task takes as long as it was measured to take, so what threads share (memory's bandwidth, a processor's clock) is taken for
growing with them: the figures are the most that this cutting of the work allows. A hand-over between threads takes what was
measured for one, whatever their number.
"""

import argparse
import heapq
import json


def makespan(tasks: list, threads: int) -> float:
    """Seconds until the last of the tasks ends."""
    free = [0.0] * min(threads, max(1, len(tasks)))
    for seconds in tasks:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)


def simulate(regions: list, threads: int, handover: float) -> dict:
    serial = waiting = total = 0.0
    slowest = []
    for number, region in enumerate(regions):
        serial += region["serial"]
        tasks = region["tasks"]
        alone = threads == 1 or len(tasks) < 2
        seconds = sum(tasks) if alone else makespan(tasks, threads) + handover
        total += region["serial"] + seconds
        lost = seconds - sum(tasks) / threads
        waiting += lost
        slowest.append((lost, number, len(tasks), sum(tasks)))
    return {"seconds": total, "serial": serial, "waiting": waiting, "slowest": sorted(slowest, reverse=True)[:5]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 8, 28, 56])
    arguments = parser.parse_args()
    with open(arguments.file) as file:
        report = json.load(file)
    regions = report["regions"]
    work = sum(sum(region["tasks"]) for region in regions)
    serial = sum(region["serial"] for region in regions)
    rest = report["threads"] * report["seconds"] - work - report["threads"] * serial
    print(f"{report['shape']}, {report['tokens']} tokens, on {report['processor']} with {report['threads']} threads:")
    print(
        f"  {report['seconds']:.3f} s in {len(regions)} regions of {sum(len(r['tasks']) for r in regions)} tasks; "
        f"serial {100 * serial / report['seconds']:.2f} %, hand-overs and waiting "
        f"{100 * rest / report['threads'] / report['seconds']:.2f} % of it; an empty region "
        f"{1e6 * report['handover_seconds']:.1f} us")
    one = simulate(regions, 1, 0)["seconds"]
    print("  threads  seconds  speed-up  of ideal  serial  waiting")
    for threads in arguments.threads:
        result = simulate(regions, threads, report["handover_seconds"])
        seconds = result["seconds"]
        print(
            f"  {threads:7}  {seconds:7.3f}  {one / seconds:8.2f}  {100 * one / seconds / threads:6.1f} %  "
            f"{100 * result['serial'] / seconds:4.1f} %  {100 * result['waiting'] / seconds:5.1f} %")
        if threads == arguments.threads[-1]:
            print("  the regions that lose most with that many (milliseconds lost, region, tasks, their sum in ms):")
            for lost, number, count, total in result["slowest"]:
                print(f"    {1e3 * lost:7.2f}  {number:5}  {count:5}  {1e3 * total:8.2f}")


if __name__ == "__main__":
    main()
