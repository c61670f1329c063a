"""Helper program: speaks with libespeak-ng and reports its phoneme events.

espeak-ng is under the GPL, so the library is loaded only here, at run time, in a process of its own that shares no code
with the package and talks to it through pipes.

Each line of standard input is a JSON object: ``{"text", "voice", "rate" (words a minute), "pitch" (0 to 100)}``. Each
answer is a JSON line, ``{"samples", "phonemes": [[mnemonic, first sample], ...]}`` followed by ``samples`` 16-bit
samples in machine order, or ``{"error"}``. The first line out, before any request, is ``{"ready": sampling rate}`` or
``{"error"}``.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import sys
from typing import Any

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: no audio device, the callback gets the samples
_PHONEME_EVENTS = 1  # espeakINITIALIZE_PHONEME_EVENTS
_UTF8 = 1  # espeakCHARS_UTF8
_END_PAUSE = 0x1000  # espeakENDPAUSE
_RATE, _PITCH = 1, 3  # espeakRATE, espeakPITCH
_LIST_END, _PHONEME = 0, 7  # espeakEVENT_LIST_TERMINATED, espeakEVENT_PHONEME


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def _load() -> ctypes.CDLL:
    """Load the library; OSError where it is not installed."""
    found = ctypes.util.find_library("espeak-ng")
    for name in (found, "libespeak-ng.so.1", "libespeak-ng.dylib"):
        if name:
            try:
                return ctypes.CDLL(name)
            except OSError:
                continue
    raise OSError("libespeak-ng was not found")


def main() -> int:
    """Answer requests until standard input closes."""
    out = sys.stdout.buffer

    def answer(head: dict[str, object], body: bytes = b"") -> None:
        out.write(json.dumps(head).encode() + b"\n" + body)
        out.flush()

    try:
        library = _load()
    except OSError as error:
        answer({"error": str(error)})
        return 1
    audio: list[bytes] = []
    phonemes: list[tuple[str, int]] = []

    def receive(samples: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if samples and count > 0:
            audio.append(ctypes.string_at(samples, 2 * count))
        i = 0
        while events[i].type != _LIST_END:
            if events[i].type == _PHONEME:
                # The eight bytes need not end with a zero, so they are read as raw memory.
                raw = ctypes.string_at(ctypes.addressof(events[i].id), 8).split(b"\0")[0]
                phonemes.append((raw.decode("utf-8", "replace"), events[i].sample))
            i += 1
        return 0

    callback = _Callback(receive)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
    if rate <= 0:
        answer({"error": "espeak-ng could not start: are its voice data installed?"})
        return 1
    library.espeak_SetSynthCallback(callback)
    answer({"ready": rate})
    for line in sys.stdin:
        # The library carries state from one text to the next. A child for each keeps an answer a function of its
        # request alone, and a crash to one text.
        child = os.fork()
        if child == 0:
            request = json.loads(line)
            problem = _speak(library, request)
            if problem:
                answer({"error": problem})
            else:
                body = b"".join(audio)
                answer({"samples": len(body) // 2, "phonemes": phonemes}, body)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status != 0:
            answer({"error": f"espeak-ng crashed (status {status})"})
    return 0


def _speak(library: ctypes.CDLL, request: dict[str, Any]) -> str | None:
    """Let the callback have one text; what went wrong, if anything."""
    if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        return f"no voice {request['voice']}"
    library.espeak_SetParameter(_RATE, round(request["rate"]), 0)
    library.espeak_SetParameter(_PITCH, round(request["pitch"]), 0)
    text = request["text"].encode()
    size = ctypes.c_size_t(len(text) + 1)
    status = library.espeak_Synth(text, size, 0, 0, 0, _UTF8 | _END_PAUSE, None, None)
    if status != 0 or library.espeak_Synchronize() != 0:
        return f"espeak-ng failed to speak (status {status})"
    return None


if __name__ == "__main__":
    sys.exit(main())
