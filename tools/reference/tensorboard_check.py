"""Reads Firefly's TensorBoard event files with the tensorboard package and checks them.

    tensorboard_check.py RUN_FOLDER     compares every scalar of output_dir/runs with trainer_state.json
    tensorboard_check.py --golden       prints the bytes that EventFileTests expects, written by tensorboard

Needs tensorboard (2.21.0 was used).
"""

import base64
import io
import json
import math
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


class Bytes(io.BytesIO):
    """Keeps its bytes when the writer closes it."""

    def close(self):
        pass


def golden():
    time = 1_700_000_000.5
    scalars = [("train/loss", 1.5), ("train/learning_rate", math.nan)]
    events = [
        Event(wall_time=time, file_version="brain.Event:2"),
        Event(wall_time=time, step=7, session_log=SessionLog(status=SessionLog.START)),
        Event(
            wall_time=time,
            step=300,
            summary=Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in scalars]),
        ),
    ]
    buffer = Bytes()
    writer = RecordWriter(buffer)
    for event in events:
        writer.write(event.SerializeToString())
    writer.close()
    print(base64.b64encode(buffer.getvalue()).decode())


def same(first, second):
    """Whether the file's float32 is the log's number."""
    single = struct.unpack("f", struct.pack("f", second))[0]
    return first == single or (math.isnan(first) and math.isnan(single))


def check(run):
    history = json.loads((run / "trainer_state.json").read_text())["log_history"]
    logged = [entry for entry in history if "loss" in entry]
    folders = sorted({path.parent for path in (run / "runs").rglob("events.out.tfevents.*")})
    if not folders or not logged:
        sys.exit(f"{run}: no event files, or nothing logged")
    points = {}
    for folder in folders:
        accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        accumulator.Reload()
        for tag in accumulator.Tags()["scalars"]:
            for event in accumulator.Scalars(tag):
                points[tag, event.step] = event.value
    for entry in logged:
        for key in ("loss", "grad_norm", "learning_rate", "epoch"):
            value = points.get((f"train/{key}", entry["step"]))
            if value is None or not same(value, entry[key]):
                sys.exit(f"train/{key} at step {entry['step']}: {value} in TensorBoard, {entry[key]} in the log")
    print(f"{len(points)} points of {len(logged)} logged steps agree")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--golden":
        golden()
    else:
        check(Path(sys.argv[1]))
