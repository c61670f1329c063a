"""The tables of docs/performance.md, each a function of the records it needs; no figure is written by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from benchmarks.records import Record, cell, table
from diffusiontalker.geometry import DEFAULT_PRESET, PRESETS, SAMPLE_RATE

Records = Mapping[str, Record]

NOT_YET: Final = "not measured yet"
NEVER: Final = "never run"
PAPER_ITF: Final = 3.9e-4
"""Seconds a frame: the paper's 8-step model on a V100 with TensorRT."""
LATENCY_MS: Final = {DEFAULT_PRESET: 100.0, "low": 60.0}
FASTER: Final = 50.0
FIRST_FRAME_MS: Final = 250.0
SAME: Final = 1e-5
OTHERS: Final = 63
STREAMS: Final = 100
FEWEST_STREAMS: Final = 64
LENGTH_HOURS: Final = 6.0
LENGTH_RATIO: Final = 1.1
"""A tick's cost after hours over that of young streams meanwhile: processes of one age differ by less."""
LENGTH_MIB: Final = 16.0
"""Likewise growth of memory: what allocators do by themselves."""
LENGTH_LIPS: Final = 0.05
"""Likewise a lip score's parts: two minutes of other noise differ by about as much."""


def _verdict(met: bool) -> str:
    return "yes" if met else "**no**"


def _ran(*records: Record | None) -> str:
    """How to make a table again, and when it was made."""
    return "\n".join(f"Run `{record.command}`; {record.date}." for record in records if record is not None)


def machines(records: Records) -> str:
    """What the figures were taken on."""
    lines: dict[str, list[str]] = {}
    for name, one in records.items():
        machine = one.machine
        versions = ", ".join(f"{key} {value}" for key, value in machine["versions"].items() if value)
        line = f"{machine['cores']} cores of {machine['processor']}, {machine['system']}; {versions}"
        lines.setdefault(line, []).append(name)
    if not lines:
        return f"Machine: {NOT_YET}."
    if len(lines) == 1:
        return f"Machine: {next(iter(lines))}."
    return "\n".join(f"- {line} ({', '.join(names)})." for line, names in lines.items())


def targets(records: Records) -> str:
    """What was wanted, what was measured, and whether it is enough."""
    rows = []
    for what, wanted, name, judge in _TARGETS:
        measured, met = judge(records[name].results) if name in records else (NOT_YET, "")
        rows.append([what, wanted, measured, met])
    rows.append(["Streams on one H200", "as many as it holds", NEVER, ""])
    return table(["what", "wanted", "measured", "met"], rows)


def _capacity(results: Mapping[str, Any]) -> tuple[str, str]:
    found = [one for one in results["searches"] if "error" not in one]
    if not found:
        return NOT_YET, ""
    best = max(found, key=lambda one: int(one["streams"]))
    shown = f"{best['streams']} (`{best['backend']}`, workers: {best['workers']})"
    if best["streams"] >= STREAMS:
        return shown, _verdict(True)
    limited = best["bound"] != "exactly"  # more were not to be tried, which says nothing of them
    fallen_short = "" if limited else _verdict(False)
    verdict = "the least" if best["streams"] >= FEWEST_STREAMS else fallen_short
    return f"{best['bound']} {shown}" if limited else shown, verdict


def _first_frame(results: Mapping[str, Any]) -> tuple[str, str]:
    single = [one["first_frame_ms"]["worst"] for one in results["reports"] if one["streams"] == 1]
    return (f"{max(single):.0f} ms", _verdict(max(single) < FIRST_FRAME_MS)) if single else (NOT_YET, "")


def _latency_of(preset: str) -> Callable[[Mapping[str, Any]], tuple[str, str]]:
    def judge(results: Mapping[str, Any]) -> tuple[str, str]:
        rows = [row for row in results["rows"] if row["preset"] == preset]
        stated, measured = (max(row[key] for row in rows) for key in ("stated_ms", "measured_ms"))
        met = max(stated, measured) <= LATENCY_MS[preset]
        return f"{measured:.1f} ms, stated {stated:.1f} ms", _verdict(met)

    return judge


def _itf(results: Mapping[str, Any]) -> tuple[str, str]:
    shown, met = [], True
    for steps in sorted({results["facediffuser"]["steps"], results["shipped_steps"]}, reverse=True):
        rows = [row for row in results["rows"] if row["steps"] == steps]
        if not rows:
            return NOT_YET, ""
        best = min(rows, key=lambda row: float(row["total"]))
        shown.append(f"{1e4 * best['total']:.2f}e-4 s in {steps} steps (`{best['backend']}`)")
        met = met and best["total"] <= PAPER_ITF
    return ", ".join(shown), _verdict(met)


def _faster(results: Mapping[str, Any]) -> tuple[str, str]:
    if not results["speed_up"] or results["facediffuser"]["hubert_layers"] != 12:
        return NOT_YET, ""
    backend, ratio = max(results["speed_up"].items(), key=lambda pair: float(pair[1]))
    return f"{ratio:.1f} times (`{backend}`)", _verdict(ratio >= FASTER)


def _length(results: Mapping[str, Any]) -> tuple[str, str]:
    first, last = results["marks"][0], results["marks"][-1]
    grown = last["resident_mib"] - first["resident_mib"]
    lips = [abs(last[key] - first[key]) for key in ("open", "rounding", "closure") if last[key] and first[key]]
    met = last["ratio"] <= LENGTH_RATIO and grown <= LENGTH_MIB and max(lips, default=0.0) <= LENGTH_LIPS
    shown = f"cost x {last['ratio']:.2f}, {grown:+.1f} MiB, lip score within {max(lips, default=0.0):.3f}"
    # A shorter stream says nothing of the target, unless it fails.
    verdict = _verdict(met) if results["hours"] >= LENGTH_HOURS or not met else ""
    return f"{shown} after {results['hours']:g} h", verdict


def _isolation(results: Mapping[str, Any]) -> tuple[str, str]:
    worst = max(max(row["among"], row["reused"]) for row in results["rows"])
    others = min(row["others"] for row in results["rows"])
    verdict = _verdict(worst <= SAME) if others >= OTHERS or worst > SAME else ""
    return f"{worst:.1e} among {others}", verdict


def _rolling(results: Mapping[str, Any]) -> tuple[str, str]:
    whole = [row for row in results["rows"] if row["hubert_layers"] == 12]
    shown = [f"{row['streams']} in windows of {row['window']}" for row in whole]
    return (", ".join(shown), _verdict(whole[0]["streams"] >= 1)) if whole else (NOT_YET, "")


_TARGETS: Final[Sequence[tuple[str, str, str, Callable[[Mapping[str, Any]], tuple[str, str]]]]] = (
    ("30 fps microphones, p99 under 60 ms, no frame missing", "100; 64 the least", "capacity", _capacity),
    (f"Algorithmic latency, {DEFAULT_PRESET}", "at most 100 ms", "latency", _latency_of(DEFAULT_PRESET)),
    ("Algorithmic latency, low", "at most 60 ms", "latency", _latency_of("low")),
    ("First frame after a stream opens", "under 250 ms", "capacity", _first_frame),
    ("ITF in 8 steps, and as shipped", "at most 3.9e-4 s", "itf", _itf),
    ("Against FaceDiffuser's design, 8 steps", "at least 50 times", "itf", _faster),
    ("HuBERT base, live streams", "1, and how many more", "rolling_hubert", _rolling),
    ("A stream of 6 hours: its last minute as its first", "the same", "stream_length", _length),
    ("A stream among 63 others or in a used slot", "within 1e-5", "isolation", _isolation),
)


def capacity(records: Records) -> str:
    """The searches, and reports at fixed numbers."""
    one = records.get("capacity")
    if one is None:
        return NOT_YET
    rows = []
    for search in one.results["searches"]:
        who = [f"`{search['backend']}`", str(search["workers"])]
        if "error" in search:
            rows.append([*who, f"{NOT_YET}: {search['error']}", *[cell(None)] * 4])
        else:
            rows.append([*who, f"{search['bound']} {search['streams']}", *_report_cells(search["report"])])
    head = ["p50 / p99, ms", "missing", "server, % of a core", "MiB"]
    fixed = [
        [f"`{r['backend']}`", str(r["workers"]), str(r["streams"]), *_report_cells(r), _first(r)]
        for r in one.results["reports"]
    ]
    parts = [table(["backend", "workers", "streams held", *head], rows)]
    if fixed:
        parts.append(table(["backend", "workers", "streams", *head, "first frame p50 / p99, ms"], fixed))
    return "\n\n".join([*parts, _ran(one)])


def _report_cells(report: Mapping[str, Any]) -> list[str]:
    late = report["lateness_ms"]
    return [
        cell(None) if late is None else f"{late['p50']:.1f} / {late['p99']:.1f}",
        str(report["frames_missing"]),
        cell(report["server_cpu_percent"], ".0f"),
        cell(report["server_rss_mb"], ".0f"),
    ]


def _first(report: Mapping[str, Any]) -> str:
    first = report["first_frame_ms"]
    return cell(None) if first is None else f"{first['p50']:.0f} / {first['p99']:.0f}"


def presets(records: Records) -> str:
    """Latency and lip score of every preset."""
    latency = records.get("latency")
    rows = []
    for name, preset in PRESETS.items():
        cells = [f"`{name}`", f"{1000 * preset.look_ahead // SAMPLE_RATE}"]
        for fps, rate in ((30, SAMPLE_RATE), (60, SAMPLE_RATE), (60, 48_000)):
            wanted = (name, fps, rate)
            found = [r for r in _rows(latency) if (r["preset"], r["fps"], r["sample_rate"]) == wanted]
            cells.append(f"{found[0]['stated_ms']:.1f} / {found[0]['measured_ms']:.1f}" if found else NOT_YET)
        scored = records.get(f"lip_score_{name}")
        score = scored.results["scores"].get("model") if scored else None
        lips = ["open", "rounding", "closure"]
        cells += [cell(score[key], ".3f") for key in lips] if score else [NOT_YET] * len(lips)
        rows.append([*cells, cell(score["lag_ms"], "+.0f") if score else NOT_YET])
    head = ["preset", "look-ahead, ms", "30 fps", "60 fps", "60 fps, 48 kHz", "open", "rounding", "closure", "lag, ms"]
    made = _ran(latency, *(records.get(f"lip_score_{name}") for name in PRESETS))
    return table(head, rows) + (f"\n\n{made}" if made else "")


def _rows(one: Record | None) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = one.results["rows"] if one else []
    return rows


def itf(records: Records) -> str:
    """Inference time per frame."""
    one = records.get("itf")
    if one is None:
        return NOT_YET
    results = one.results
    rows = [
        [f"`{row['backend']}`", str(row["steps"]), *(f"{1e4 * row[k]:.2f}" for k in ("total", "encoder", "denoiser"))]
        for row in results["rows"]
    ]
    baseline = results["facediffuser"]
    rows.append(["FaceDiffuser's design", str(baseline["steps"]), f"{1e4 * baseline['total']:.1f}", "–", "–"])
    faster = "; ".join(f"`{name}` is {ratio:.1f} times as fast" for name, ratio in results["speed_up"].items())
    said = f"{results['cores']} cores, {results['rounds']} rounds; encoder and denoiser run side by side. "
    said += f"Against FaceDiffuser's design, the median of the rounds' own ratios: {faster}."
    if baseline["hubert_layers"] != 12:
        said += f" **A trial with {baseline['hubert_layers']} layers of HuBERT, not with its base size.**"
    head = ["backend", "steps", "ITF, 1e-4 s", "encoder", "denoiser"]
    return "\n\n".join([table(head, rows), said, _ran(one)])


def sessions(records: Records) -> str:
    """Cost and memory against the number of streams."""
    one = records.get("sessions")
    if one is None:
        return NOT_YET
    names = list(dict.fromkeys(row["backend"] for row in one.results["rows"]))
    by = {(row["backend"], row["streams"]): row for row in one.results["rows"]}
    rows = []
    for streams in sorted({row["streams"] for row in one.results["rows"]}):
        found = [by.get((name, streams)) for name in names]
        costs = [f"{1e3 * row['cpu_s']:.2f}" if row else "–" for row in found]
        rows.append([str(streams), *costs, *(f"{row['resident_mib']:.0f}" if row else "–" for row in found)])
    more = ", ".join(f"{cell(v, '.2f')} MiB (`{k}`)" for k, v in one.results["mib_per_further_stream"].items())
    head = ["streams", *(f"`{name}`, ms per second" for name in names), *(f"`{name}`, MiB" for name in names)]
    return "\n\n".join([table(head, rows), f"One more stream takes {more}.", _ran(one)])


def stream_length(records: Records) -> str:
    """Cost, memory and lips of one long stream."""
    one = records.get("stream_length")
    if one is None:
        return NOT_YET
    rows = [
        [
            f"{mark['second'] / 3600:.2f}",
            f"{mark['ratio']:.3f}",
            f"{mark['resident_mib']:.1f}",
            *(cell(mark[key], ".3f") for key in ("open", "rounding", "closure")),
        ]
        for mark in one.results["marks"]
    ]
    head = ["minute at, hours", "cost over young streams", "MiB", "open", "rounding", "closure"]
    return "\n\n".join([table(head, rows), f"Backend `{one.results['backend']}`.", _ran(one)])


def isolation(records: Records) -> str:
    """What neighbours and former users of a slot change."""
    one = records.get("isolation")
    if one is None:
        return NOT_YET
    rows = [
        [f"`{row['backend']}`", str(row["others"]), str(row["frames"]), f"{row['among']:.1e}", f"{row['reused']:.1e}"]
        for row in _rows(one)
    ]
    head = ["backend", "others", "frames", "among them", "in a used slot"]
    return "\n\n".join([table(head, rows), _ran(one)])


def rolling_hubert(records: Records) -> str:
    """Live streams on HuBERT base."""
    one = records.get("rolling_hubert")
    if one is None:
        return NOT_YET
    rows = [
        [
            f"{row['hop']}, {row['window']}"
            + ("" if row["hubert_layers"] == 12 else f" ({row['hubert_layers']} layers)"),
            f"{row['delay_ms']:.0f}",
            f"{row['bound']} {row['streams']}",
            *_report_cells(row["report"]),
        ]
        for row in _rows(one)
    ]
    head = ["hop, window", "delay added, ms", "streams held", "p50 / p99, ms", "missing", "server, % of a core", "MiB"]
    return "\n\n".join([table(head, rows), _ran(one)])


SECTIONS: Final[Mapping[str, Callable[[Records], str]]] = {
    "machines": machines,
    "targets": targets,
    "capacity": capacity,
    "presets": presets,
    "itf": itf,
    "sessions": sessions,
    "stream_length": stream_length,
    "isolation": isolation,
    "rolling_hubert": rolling_hubert,
}
"""Name between the page's markers -> what stands there."""
