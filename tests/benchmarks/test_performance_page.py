"""The page of figures is a function of the records: tables between the markers, and nothing else touched."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.performance_page import PAGE, PageError, filled
from benchmarks.performance_pictures import draw
from benchmarks.performance_tables import NEVER, NOT_YET, SECTIONS
from benchmarks.records import Record, read_records, record, table

MACHINE = {"cores": 2, "processor": "a processor", "system": "a system", "versions": {"python": "3.11", "grpcio": None}}
LATE = {"p50": 10.0, "p95": 20.0, "p99": 30.5, "worst": 40.0}
REPORT = {
    "streams": 1,
    "streams_held": 1,
    "frames_expected": 300,
    "frames_missing": 0,
    "lateness_ms": LATE,
    "since_capture_ms": LATE,
    "first_frame_ms": {**LATE, "worst": 120.0},
    "server_cpu_percent": 33.0,
    "server_rss_mb": 140.0,
    "server_rss_idle_mb": 120.0,
    "rss_mb_per_stream": 2.0,
    "client_cpu_percent": 5.0,
    "sender_lag_ms": LATE,
}


def itf_row(backend: str, steps: int, total: float) -> dict[str, Any]:
    return {"backend": backend, "steps": steps, "total": total, "encoder": total / 3, "denoiser": total / 2}


def mark(second: int, ratio: float, mib: float, lips: float | None) -> dict[str, Any]:
    score = dict.fromkeys(("open", "rounding", "closure"), lips)
    cost = {"cpu_s": 0.01, "young_cpu_s": 0.01 / ratio, "ratio": ratio}
    return {"second": second, **cost, "resident_mib": mib, "repetitions": 4, **score}


RESULTS: dict[str, dict[str, Any]] = {
    "capacity": {
        "p99_limit_ms": 60.0,
        "searches": [
            {
                "backend": "cpu-int8",
                "workers": 1,
                "streams": 70,
                "bound": "exactly",
                "p99_limit_ms": 60.0,
                "tried": [{"held": True, **REPORT, "streams": 70}, {"held": False, **REPORT, "streams": 71}],
                "report": {**REPORT, "streams": 70},
            },
            {"backend": "cpu", "workers": 2, "error": "serve has no --workers"},
        ],
        "reports": [{"backend": "cpu-int8", "workers": 1, **REPORT}],
    },
    "latency": {
        "rows": [
            {
                "preset": preset,
                "fps": fps,
                "sample_rate": rate,
                "stated_ms": stated,
                "measured_ms": stated - 1,
                "samples": 60,
                "first_frame": 0,
            }
            for preset, stated in (("low", 56.7), ("balanced", 96.7), ("quality", 176.7))
            for fps in (30, 60)
            for rate in (16_000, 48_000)
        ]
    },
    "itf": {
        "cores": 2,
        "rounds": 5,
        "frames": 300,
        "shipped_steps": 8,
        "rows": [itf_row("cpu", 8, 3.5e-4), itf_row("cpu", 1, 1e-4), itf_row("cpu-int8", 8, 9e-4)],
        "facediffuser": {"steps": 8, "hubert_layers": 12, "total": 0.0175},
        "speed_up": {"cpu": 49.9, "cpu-int8": 19.0},
    },
    "sessions": {
        "rows": [
            {"backend": b, "streams": n, "cpu_s": 0.008, "wall_s": 0.008, "resident_mib": 100.0 + n}
            for b in ("cpu", "cpu-int8")
            for n in (1, 64)
        ],
        "mib_per_further_stream": {"cpu": 1.0, "cpu-int8": None},
    },
    "stream_length": {
        "hours": 6.0,
        "backend": "cpu",
        "marks": [mark(10, 1.0, 120.0, 0.95), mark(21540, 1.02, 121.0, 0.94)],
    },
    "isolation": {"rows": [{"backend": "cpu", "others": 63, "frames": 300, "among": 3e-7, "reused": 0.0}]},
    "rolling_hubert": {
        "rows": [
            {
                "hop": 25,
                "window": 100,
                "hubert_layers": 12,
                "delay_ms": 480.0,
                "streams": 2,
                "bound": "exactly",
                "report": REPORT,
            }
        ]
    },
    "lip_score_low": {
        "preset": "low",
        "scores": {"model": {"open": 0.912, "rounding": 0.8, "closure": None, "lag_ms": 17.0, "clips": 5}},
    },
}
RECORDS = {
    name: Record(name, f"python -m benchmarks.{name}", "2026-01-02", MACHINE, results)
    for name, results in RESULTS.items()
}


def cells(text: str, first: str) -> list[str]:
    """The cells of the row that begins with ``first``."""
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {first}"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_the_page_has_a_place_for_every_section() -> None:
    assert set(re.findall(r"<!-- figures: (\w+) -->", PAGE.read_text(encoding="utf-8"))) == set(SECTIONS)


@pytest.mark.parametrize("records", [{}, RECORDS], ids=["nothing", "everything"])
def test_filling_touches_only_what_is_between_markers_and_settles(records: dict[str, Record]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    once = filled(page, records)
    assert filled(once, records) == once
    between = re.compile(r"(<!-- figures: \w+ -->\n).*?(<!-- end of figures -->)", re.DOTALL)
    assert between.sub(r"\1\2", once) == between.sub(r"\1\2", page)


def test_what_was_not_measured_is_said_so_and_has_no_figure() -> None:
    for name, section in SECTIONS.items():
        text = section({})
        assert NOT_YET in text
        if name not in ("targets", "presets"):
            assert not re.search(r"\d", text)
    rows = [line.split("|")[3].strip() for line in SECTIONS["targets"]({}).splitlines()[2:]]
    assert set(rows) == {NOT_YET, NEVER}


def test_targets_are_judged_from_the_records() -> None:
    text = SECTIONS["targets"](RECORDS)
    assert cells(text, "30 fps")[2:] == ["70 (`cpu-int8`, workers: 1)", "the least"]
    assert cells(text, "Algorithmic latency, balanced")[2:] == ["95.7 ms, stated 96.7 ms", "yes"]
    assert cells(text, "First frame")[2:] == ["120 ms", "yes"]
    assert cells(text, "ITF")[2:] == ["3.50e-4 s in 8 steps (`cpu`)", "yes"]
    fewer = SECTIONS["targets"](changed("itf", shipped_steps=1))
    assert cells(fewer, "ITF")[2:] == ["3.50e-4 s in 8 steps (`cpu`), 1.00e-4 s in 1 steps (`cpu`)", "yes"]
    assert cells(text, "Against FaceDiffuser")[2:] == ["49.9 times (`cpu`)", "**no**"]
    assert cells(text, "HuBERT base")[2:] == ["2 in windows of 100", "yes"]
    assert cells(text, "A stream of 6 hours")[3] == "yes"
    assert cells(text, "A stream among")[2:] == ["3.0e-07 among 63", "yes"]
    assert cells(text, "Streams on one H200")[2:] == [NEVER, ""]


def changed(name: str, **results: Any) -> dict[str, Record]:
    one = RECORDS[name]
    return {name: Record(one.name, one.command, one.date, one.machine, {**one.results, **results})}


def test_a_trial_is_not_taken_for_a_measurement() -> None:
    search = {**RESULTS["capacity"]["searches"][0], "streams": 3, "bound": "at least"}
    limited = SECTIONS["targets"](changed("capacity", searches=[search]))
    assert cells(limited, "30 fps")[2:] == ["at least 3 (`cpu-int8`, workers: 1)", ""]
    short = SECTIONS["targets"](changed("stream_length", hours=0.5))
    assert cells(short, "A stream of 6 hours")[3] == ""
    few = SECTIONS["targets"](changed("isolation", rows=[{**RESULTS["isolation"]["rows"][0], "others": 7}]))
    assert cells(few, "A stream among")[3] == ""
    baseline = {**RESULTS["itf"]["facediffuser"], "hubert_layers": 1}
    assert cells(SECTIONS["targets"](changed("itf", facediffuser=baseline)), "Against")[2] == NOT_YET
    assert "A trial" in SECTIONS["itf"](changed("itf", facediffuser=baseline))


def test_a_long_stream_that_ages_is_no_success() -> None:
    for worse in (mark(21540, 1.3, 121.0, 0.94), mark(21540, 1.0, 300.0, 0.94), mark(21540, 1.0, 121.0, 0.5)):
        marks = [RESULTS["stream_length"]["marks"][0], worse]
        assert cells(SECTIONS["targets"](changed("stream_length", marks=marks)), "A stream of 6")[3] == "**no**"


def test_presets_join_latency_and_lips() -> None:
    text = SECTIONS["presets"](RECORDS)
    assert cells(text, "`low`") == ["`low`", "40", *["56.7 / 55.7"] * 3, "0.912", "0.800", "–", "+17"]
    assert cells(text, "`quality`")[-4:] == [NOT_YET] * 4
    assert "Run `python -m benchmarks.lip_score_low`; 2026-01-02." in text


def test_machines_are_told_apart() -> None:
    assert SECTIONS["machines"](RECORDS) == "Machine: 2 cores of a processor, a system; python 3.11."
    other = Record("itf", "", "", {**MACHINE, "cores": 8}, {})
    assert "(itf)" in SECTIONS["machines"]({**RECORDS, "itf": other})


@pytest.mark.parametrize(
    "page",
    ["<!-- figures: itf -->\nno end", "<!-- figures: unheard_of -->\n<!-- end of figures -->"],
    ids=["no end", "no such section"],
)
def test_a_wrong_marker_is_refused(page: str) -> None:
    with pytest.raises(PageError):
        filled(page, RECORDS)


def test_pictures_are_drawn_and_linked(tmp_path: Path) -> None:
    drawn = draw(RECORDS, tmp_path / "images")
    assert set(drawn) == {"capacity", "itf", "sessions", "stream_length"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path, _ in drawn.values())
    page = "<!-- figures: itf -->\n<!-- end of figures -->"
    assert "![Time.](images/a.png)" in filled(page, RECORDS, {"itf": ("images/a.png", "Time.")})


def test_records_come_back_and_hide_where_they_were_made(tmp_path: Path) -> None:
    arguments = ["itf", "--out", str(tmp_path), "--rounds", "3", "--speech", "/home/somebody/speech", "--x=/y/z"]
    made = record("itf", arguments, {"a": 1.5})
    assert made.command == "python -m benchmarks.itf --rounds 3 --speech DIR --x=DIR"
    made.write(tmp_path)
    (tmp_path / "other.json").write_text(json.dumps({"streams": 3}), encoding="utf-8")
    assert read_records(tmp_path) == {"itf": made}


def test_a_table_wants_full_rows() -> None:
    assert table(["a", "bb"], [["1", "2"]]) == "| a | bb |\n|---|----|\n| 1 | 2  |"
    with pytest.raises(ValueError):
        table(["a", "b"], [["1"]])
