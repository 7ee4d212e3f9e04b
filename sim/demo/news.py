"""What the demo says while it runs and when it is over, in Vietnamese and in English.

The sentences of the end are made from the JSON object that `--json` prints, and that is made from the hub's
ledger: one source, three faces. Bound: words. Figures come in as given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.facts import Detail
from sim.demo.view import size
from sim.report import LATE_EMERGENCY, LATE_START

NEWS: dict[str, dict[str, str]] = {
    "vi": {
        "founding": "Lập hub, đăng ký {it} trạm CNTT và {fm} trạm FM, cấp mã dùng một lần",
        "hub_up": "Hub chạy ở {url} (tiến trình {pid})",
        "sound_speech": "Âm thanh: giọng đọc espeak-ng, chất lượng điện thoại",
        "sound_chime": "Âm thanh: nhạc hiệu tạo bằng máy, không có lời, vì máy này không có espeak-ng",
        "office_eve": "Biên tập viên soạn {drafted} bản tin cho sáng mai; lãnh đạo duyệt {approved}",
        "office_day": "Thêm {drafted} bản tin cho chiều và tối: duyệt {approved}, trả lại {returned}",
        "enrolled": "{count} trạm đã ghi danh qua mạng, mỗi trạm một khóa riêng",
        "day": "Bật điện các trạm: {named} và {simulated} trạm mô phỏng",
        "withdrawn": "Lãnh đạo thu hồi “{title}”: {reason}",
        "hub_kill": "kill -9 hub (tiến trình {pid}); hub tự chạy lại",
        "hub_back": "Hub chạy lại (tiến trình {pid})",
        "emergency": "Lệnh khẩn cấp (diễn tập) đã ký: lũ quét, sạt lở",
        "node_kill": "kill -9 trạm {name} (tiến trình {pid}) giữa buổi phát",
        "restarted": "{name} đã chạy lại (tiến trình {pid})",
        "calm": "Hết sự cố; chờ mọi trạm báo về",
        "slower": "Máy chậm: kéo dài ngày ra",
        "converged": "Mọi trạm đã khớp với hub",
        "not_converged": "Chưa khớp: {why}",
    },
    "en": {
        "founding": "Founding the hub; registering {it} IT and {fm} FM stations; printing one-time tokens",
        "hub_up": "The hub runs at {url} (process {pid})",
        "sound_speech": "Sound: speech by espeak-ng, telephone quality",
        "sound_chime": "Sound: a synthesised chime without words, because espeak-ng is not installed here",
        "office_eve": "The editor wrote {drafted} bulletins for the morning; {approved} were approved",
        "office_day": "{drafted} more for the rest of the day: {approved} approved, {returned} returned",
        "enrolled": "{count} stations enrolled over the network, each with a key of its own",
        "day": "Power on: {named} and {simulated} simulated stations",
        "withdrawn": "The approver withdraws “{title}”: {reason}",
        "hub_kill": "kill -9 on the hub (process {pid}); it starts again by itself",
        "hub_back": "The hub is back (process {pid})",
        "emergency": "Emergency order signed (a drill): flash flood and landslide",
        "node_kill": "kill -9 on {name} (process {pid}) in the middle of a broadcast",
        "restarted": "{name} runs again (process {pid})",
        "calm": "No more faults; waiting for every station's report",
        "slower": "This machine is busy: the day is made longer",
        "converged": "Every station agrees with the hub",
        "not_converged": "Not converged: {why}",
    },
}

_SLOTS = {
    "vi": {
        "played": "đúng giờ", "played_late": "phát trễ", "partial": "phát dở", "interrupted": "bị ngắt",
        "suppressed": "bị chặn", "missed": "bị lỡ", "declined": "từ chối", "withdrawn": "đã thu hồi",
        "silent": "không ra tiếng", "unknown": "không rõ",
    },
    "en": {
        "played": "on time", "played_late": "late", "partial": "in part", "interrupted": "interrupted",
        "suppressed": "suppressed", "missed": "missed", "declined": "declined", "withdrawn": "withdrawn",
        "silent": "silent", "unknown": "unknown",
    },
}  # fmt: skip

_SENTENCES = {
    "vi": {
        "heads": ("Đã phát", "Khẩn cấp", "Bằng chứng", "Đường truyền", "Sự cố"),
        "slots": "{planned} lượt phát theo lịch ở {it} trạm CNTT: {parts}.",
        "why": "Lý do không phát, hoặc không phát trọn: {parts}.",
        "why_late": "Lý do phát trễ: {parts}.",
        "never": "Phát khi chưa duyệt: {unapproved_played}. Phát hai lần: {played_twice}.",
        "fm": "{fm} trạm FM không có đường báo về nên không tính ở trên.",
        "emergency": "Lệnh khẩn cấp phát được ở {reached} trên {targets} trạm trước khi hết hạn.",
        "evidence": "Mức bằng chứng: {parts}. `delivered`: nội dung đã ở trạm và đã hết giờ phát;"
        " không loa nào kêu thật.",
        "signatures": "Kiểm toán đọc lại sổ của hub: {verified} đoạn ký đúng, {failed} sai;"
        " {events} sự kiện.",
        "converged": "Mọi điều các trạm ghi đều đã tới hub, và mọi quyết định đã tới các trạm.",
        "open": "CHƯA khớp: {why}.",
        "wire": "Trên đường truyền: {up} lên, {down} xuống ({exchanges} lượt hỏi đáp, đếm ở ổ cắm TCP).",
        "faults": "Đã gây: {parts}.",
        "time": "Cả ngày mất {wall:.0f} giây thật, {cpu:.0f} giây xử lý.",
    },
    "en": {
        "heads": ("Đã phát · Broadcast", "Khẩn cấp · Emergency", "Bằng chứng · Evidence",
                  "Đường truyền · Wire", "Sự cố · Faults"),
        "slots": "{planned} slots planned at {it} stations with a return path: {parts}.",
        "why": "Why not heard, or not whole: {parts}.",
        "why_late": "Why late: {parts}.",
        "never": "Played without approval: {unapproved_played}. Played twice: {played_twice}.",
        "fm": "The {fm} FM stations have no return path and are not counted above.",
        "emergency": "The emergency was played at {reached} of {targets} stations before it expired.",
        "evidence": "Evidence level: {parts}. `delivered` says that the content was there and its time"
        " went by; no loudspeaker made a sound.",
        "signatures": "The auditor read the hub's ledger again: {verified} signed segments verify,"
        " {failed} do not; {events} events.",
        "converged": "All that the stations wrote is at the hub, and every decision is at the stations.",
        "open": "NOT converged: {why}.",
        "wire": "On the wire: {up} up, {down} down ({exchanges} exchanges, counted at the TCP sockets).",
        "faults": "Done to it: {parts}.",
        "time": "The day took {wall:.0f} real seconds and {cpu:.0f} seconds of processor time.",
    },
}  # fmt: skip

_FAULTS = {
    "vi": {
        "down": "lần gọi khi mất mạng", "cut_request": "yêu cầu bị cắt", "cut_reply": "trả lời bị cắt",
        "lose_reply": "trả lời bị mất", "delay": "lần chậm", "hub_absent": "lần hub vắng",
        "power_cuts": "lần mất điện", "kills": "lần kill -9",
    },
    "en": {
        "down": "calls into a dead line", "cut_request": "requests cut", "cut_reply": "answers cut",
        "lose_reply": "answers lost", "delay": "delays", "hub_absent": "calls while the hub was away",
        "power_cuts": "power cuts", "kills": "kill -9",
    },
}  # fmt: skip


def _reason(english: str, lang: str) -> str:
    """A reason as the object names it, in the language of the screen."""
    if lang == "en":
        return english
    words = {detail.say("en"): detail.say("vi") for detail in Detail}
    words |= {LATE_EMERGENCY: "lệnh khẩn cấp, phát ngay khi tới", LATE_START: "bắt đầu sau giờ"}
    return words.get(english, english)


def summary_lines(said: Mapping[str, Any], lang: str) -> list[tuple[str, list[str]]]:
    """Heading and sentences for the end. said: the object that `--json` prints."""
    words, names = _SENTENCES[lang], _SLOTS[lang]
    heads = words["heads"]
    assert isinstance(heads, tuple)

    def line(name: str, **values: object) -> str:
        text = words[name]
        assert isinstance(text, str)
        return text.format(**values)

    slots = said["slots"]
    parts = ", ".join(f"{names[name]} {slots[name]}" for name in names if slots.get(name))
    broadcast = [line("slots", planned=slots["planned"], it=said["it"], parts=parts)]
    for name in ("why_late", "why"):
        if said[name]:
            reasons = (f"{_reason(why, lang)} {count}" for why, count in said[name].items())
            broadcast.append(line(name, parts=", ".join(reasons)))
    broadcast += [line("never", **said), line("fm", **said)]
    levels = ", ".join(f"`{level}` {count}" for level, count in said["evidence"].items())
    proof = [
        line("signatures", events=said["events"], **said["signatures"]),
        line("converged") if said["converged"] else line("open", why=said["not_converged"]),
        line("evidence", parts=levels),
    ]
    traffic = said["bytes"]
    wire = line("wire", up=size(traffic["up"]), down=size(traffic["down"]), exchanges=said["exchanges"])
    done = {**said["faults"], "power_cuts": said["power_cuts"], "kills": said["kills"]}
    faults = ", ".join(f"{_FAULTS[lang].get(name, name)} {count}" for name, count in done.items() if count)
    time = line("time", wall=said["wall_s"], cpu=sum(said["cpu_s"].values()))
    return [
        (heads[0], broadcast),
        (heads[1], [line("emergency", **said["emergency"])]),
        (heads[2], proof),
        (heads[3], [wire]),
        (heads[4], [line("faults", parts=faults or "–"), time]),
    ]
