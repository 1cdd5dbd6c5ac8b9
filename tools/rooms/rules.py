"""What tools/rooms/check.py accepts, each with its reason."""

import re

LARGEST_ROOM = 25  # Swift files in one folder

# By target: files that may know each other in a circle, and why.
ACCEPTED_CIRCLES: dict[str, list[tuple[set[str], str]]] = {
    "Jinja": [
        (
            {"Arguments.swift", "Globals.swift", "Interpreter.swift", "JinjaValue.swift", "LoopState.swift"},
            "an interpreter evaluates values, some values are functions, and a function evaluates with the interpreter",
        )
    ],
    "Tensors": [
        (
            {
                "Device.swift",
                "Storage.swift",
                "Tensor.swift",
                "Operands/AttentionOperands.swift",
                "Operands/ByteMoment.swift",
                "Operands/LinearFinish.swift",
                "Operands/LinearOperands.swift",
                "Operands/SoftmaxSums.swift",
                "Quantized/BlockTensor.swift",
                "Quantized/NF4.swift",
            },
            "the seam itself: a tensor knows the device it lies on, and a device's list of operations takes tensors",
        )
    ],
}

# By target: its rooms from top to bottom. A file may know its own room and those below.
ROOM_ORDER: dict[str, list[str]] = {
    "CLI": ["Commands", "Arguments", "Console"],
    "Evaluation": ["Benchmarks", "Files"],
    "Hub": [".", "Download", "Transfer", "Local"],
    "Models": [
        "Adapters", ".", "Layers/Ends", "Layers", "Layers/Heads", "Trainable", "Families", "Families/Llama", "Architecture"],
    "Weights": [".", "SafeTensors", "GGUF", "Torch", "Stored"],
    "Studio": [".", "Service", "Results", "Runs", "Setup", "Pages", "Asking"],
    "Text": [
        "Rows", "Rows/Formats", "Rows/Files", "Templates", "ToolCalls", "Tokenizers", "Tokenizers/Decoding", "Tokenizers/Words"],
}

# Only these reach the bytes of a tensor; the targets above use operations.
MAY_TOUCH_ADDRESSES = {"Tensors", "Weights", "Cards"}
ADDRESS = re.compile(r"\bUnsafe\w*Pointer\b|\bOpaquePointer\b|\bwithUnsafe\w+|\. (?:\w+P|p)ointer\b")

# Files above that handle addresses which are no tensor's memory, and whose they are.
_C_CALLBACKS = "libmicrohttpd's handles and callbacks"
_EDITOR = "libedit's handle and callbacks"
ALLOWED_ADDRESSES = {
    "Sources/Bench/MemoryLevel.swift": "handles of the memory that is measured",
    "Sources/CLI/Console/LineEditor+Keys.swift": _EDITOR,
    "Sources/CLI/Console/LineEditor.swift": _EDITOR,
    "Sources/CLI/Console/LibraryVersions.swift": "the texts of C libraries",
    "Sources/CLI/Console/MachineFacts.swift": "the texts of uname()",
    "Sources/Evaluation/Files/ZipArchive+Unpack.swift": "a mapped file's bytes to zlib",
    "Sources/Generation/BeamSearch.swift": "an array whose rows the threads fill",
    "Sources/Generation/TokenLogProbability.swift": "an array whose rows the threads fill",
    "Sources/Server/HTTP/ConnectionWatch.swift": _C_CALLBACKS,
    "Sources/Server/HTTP/HTTPExchange.swift": _C_CALLBACKS,
    "Sources/Server/HTTP/HTTPServer.swift": _C_CALLBACKS,
    "Sources/Server/HTTP/ListeningSocket.swift": "socket addresses for the system",
    "Sources/Server/HTTP/TLSIdentity.swift": "GnuTLS's handles and texts",
    "Sources/Training/Config/YAMLReader.swift": "libyaml's parser and events",
    "Sources/Training/Records/EventFile.swift": "a number's bytes in a record",
}

# Targets whose work must run on whatever device a tensor lies on.
NO_PROCESSOR_WORK = {"Models"}
PROCESSOR_WORK = re.compile(r"\b(Parallel \. run|memset|memcpy)\b")
