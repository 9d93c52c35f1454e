"""
Makes the hostile and broken media of the bad-input corpus: rows 1 to 42, from PyAV and the standard library alone.

    python tests/faults/media.py FOLDER [--url http://127.0.0.1:PORT]

Every file is the same on every machine, encoder versions aside. What must happen to each stands in
``media_verdicts.csv``. The playlists point to *url*, a loopback server that must see no request, and to
``other_tenant.wav``, which must not be read. The two files of row 32 are to be changed while they are read, as
``changing.py`` does.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import random
import struct
import tarfile
import zipfile
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av

#: Where the playlists point, unless told.
URL = "http://127.0.0.1:9"
_KEY = {"encryption_key": "76a6c65c5ea762046bd749a2e632ccbb", "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"}


def tone(seconds: float, *, rate_hz: int = 16_000, pitch_hz: float = 220.0, level: float = 0.3) -> bytes:
    """A sine with its octave as int16 bytes, mono. One second is computed and repeated."""
    second = array(
        "h",
        (
            int(32_767 * level * (0.7 * math.sin(angle) + 0.3 * math.sin(2 * angle)))
            for angle in (2 * math.pi * round(pitch_hz) * i / rate_hz for i in range(rate_hz))
        ),
    ).tobytes()
    whole = second * math.ceil(seconds)
    return whole[: 2 * int(seconds * rate_hz)]


def wav(
    data: bytes,
    *,
    rate_hz: int = 16_000,
    channels: int = 1,
    tag: int = 1,
    bits: int = 16,
    declared: int | None = None,
) -> bytes:
    """A RIFF/WAVE file. *declared* is the size that the data chunk claims; the riff chunk claims as much."""
    size = len(data) if declared is None else declared
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits)
    whole = min(0xFFFFFFFF, 36 + size)
    return struct.pack("<4sI8sI", b"RIFF", whole, b"WAVEfmt ", 16) + form + struct.pack("<4sI", b"data", size) + data


def interleave(*channels: bytes) -> bytes:
    """Mono int16 signals of one length as one signal with that many channels."""
    signals = [array("h", channel) for channel in channels]
    return array("h", (value for samples in zip(*signals, strict=True) for value in samples)).tobytes()


def encode(
    path: Path,
    pcm: bytes,
    *,
    codec: str,
    container: str,
    rate_hz: int = 16_000,
    bit_rate: int | None = None,
    options: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    shift: Callable[[int], int | None] = lambda pts: pts,
) -> None:
    """Encode mono int16 *pcm* with PyAV. *shift* rewrites the time stamps of the packets; ``None`` loses one."""
    with av.open(str(path), "w", format=container, options=options or {}) as output:
        output.metadata.update(tags or {})
        stream = output.add_stream(codec, rate=rate_hz, layout="mono")
        if bit_rate:
            stream.bit_rate = bit_rate
        for packet in _packets(stream, pcm, rate_hz):
            if packet.pts is not None:
                packet.pts = packet.dts = shift(packet.pts)
                if packet.pts is None:
                    continue
            output.mux(packet)


def _packets(stream: av.AudioStream, pcm: bytes, rate_hz: int) -> Iterator[av.Packet]:
    resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate_hz)
    fifo = av.AudioFifo()
    for frame in resampler.resample(_frame(pcm, rate_hz)):
        fifo.write(frame)
    size = stream.codec_context.frame_size or 1_024
    while frame := fifo.read(size, partial=True):
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _frame(pcm: bytes, rate_hz: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.planes[0].update(pcm)
    frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), 0
    return frame


def _crc_table(polynomial: int, bits: int) -> list[int]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    table = []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = ((value << 1) ^ polynomial if value & top else value << 1) & mask
        table.append(value)
    return table


_CRC8, _CRC16 = _crc_table(0x07, 8), _crc_table(0x8005, 16)
_BLOCK = 32_768


def _number(value: int) -> bytes:
    """A frame number as FLAC writes it: UTF-8, up to 31 bits."""
    if value < 0x80:
        return bytes((value,))
    tail = []
    while value >= 1 << (6 - len(tail)):
        tail.append(0x80 | (value & 0x3F))
        value >>= 6
    return bytes(((0xFF00 >> (len(tail) + 1)) & 0xFF | value, *reversed(tail)))


def silent_flac(path: Path, hours: int, *, declared: bool = True) -> None:
    """
    Silence as FLAC, 16 kHz mono: about 14 bytes for two seconds.

    Layout after RFC 9639, sections 8.2 and 9. Not *declared*: the header leaves the number of samples open.
    """
    frames = hours * 3_600 * 16_000 // _BLOCK
    total = frames * _BLOCK if declared else 0
    facts = (16_000 << 44) | (0 << 41) | (15 << 36) | total
    info = struct.pack(">HH", _BLOCK, _BLOCK) + bytes(6) + facts.to_bytes(8, "big") + bytes(16)
    with path.open("wb") as file:
        file.write(b"fLaC\x80" + len(info).to_bytes(3, "big") + info)
        for index in range(frames):
            # Sync and fixed block size; block of 32 768 samples, 16 kHz; one channel, 16 bits.
            head = b"\xff\xf8\xf5\x08" + _number(index)
            crc = 0
            for byte in head:
                crc = _CRC8[crc ^ byte]
            frame = head + bytes((crc, 0, 0, 0))  # a constant subframe of value 0
            crc = 0
            for byte in frame:
                crc = (crc << 8 & 0xFFFF) ^ _CRC16[crc >> 8 ^ byte]
            file.write(frame + crc.to_bytes(2, "big"))


def _broken(folder: Path) -> None:
    """Rows 1 to 4, 7 and 8: nothing, noise, text, a bare header, cut files."""
    (folder / "empty.mp3").write_bytes(b"")
    (folder / "random.mp3").write_bytes(random.Random(2).randbytes(4_096))
    (folder / "text.mp3").write_text("Namaste, this is the transcript of the second interview.\n", encoding="utf-8")
    (folder / "hdr.wav").write_bytes(b"RIFF\x04\x00\x00\x00WAVE")
    whole = folder / "whole.tmp"
    # Noise, because a codec needs its full bit rate for it: the cuts at 60 000 bytes then fall in mid-sound.
    encode(whole, noise(30), codec="aac", container="ipod", bit_rate=64_000)
    (folder / "trunc.m4a").write_bytes(whole.read_bytes()[:60_000])
    encode(whole, noise(30), codec="libmp3lame", container="mp3", bit_rate=64_000)
    (folder / "trunc.mp3").write_bytes(whole.read_bytes()[:60_000])
    (folder / "trunc.wav").write_bytes(wav(tone(30))[:240_044])
    encode(whole, noise(30), codec="flac", container="flac")
    (folder / "trunc.flac").write_bytes(whole.read_bytes()[:60_000])
    encode(whole, noise(30), codec="aac", container="ipod", bit_rate=64_000, options={"movflags": "faststart"})
    (folder / "trunc_faststart.m4a").write_bytes(whole.read_bytes()[:60_000])
    whole.unlink()


def noise(seconds: float, *, rate_hz: int = 16_000) -> bytes:
    """White noise as int16 bytes, mono, at -20 dB of full scale."""
    draw = random.Random(1)
    return array("h", (draw.randrange(-5_600, 5_601) for _ in range(int(seconds * rate_hz)))).tobytes()


def _long(folder: Path) -> None:
    """Rows 5 and 6: hours of silence in little space."""
    silent_flac(folder / "bomb10h.flac", 10)
    silent_flac(folder / "bomb10h_undeclared.flac", 10, declared=False)
    silent_flac(folder / "long100h.flac", 100)


def _playlists(folder: Path, url: str) -> None:
    """Rows 9 to 17: texts that make a library read something else."""
    (folder / "other_tenant.wav").write_bytes(wav(tone(3, pitch_hz=330)))
    other = (folder / "other_tenant.wav").absolute()
    media = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n"
    master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\n{}\n"
    dash = (
        '<?xml version="1.0"?>\n<!-- a manifest -->\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        f"<Period><BaseURL>{url}/dash.mp4</BaseURL></Period></MPD>\n"
    )
    texts = {
        "hls_file.mp3": media.format(f"file:{other}"),
        "hls_file.m3u8": media.format(f"file:{other}"),
        "hls_http.m3u8": media.format(f"{url}/segment.ts"),
        "hls_master_http.m3u8": master.format(f"{url}/child.m3u8"),
        "hls_master_file.m3u8": master.format(f"file:{folder.absolute() / 'hls_file.m3u8'}"),
        "ffconcat.mp3": "ffconcat version 1.0\nfile other_tenant.wav\n",
        "ffconcat_up.mp3": f"ffconcat version 1.0\nfile ../{folder.absolute().name}/other_tenant.wav\n",
        "sdp.mp3": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        "dash.mp3": dash,
        "selfref.m3u8": master.format("selfref.m3u8"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    # A tag before the list: demuxers are guessed from what follows it.
    tag = b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10)
    (folder / "hls_behind_tag.mp3").write_bytes(tag + texts["hls_http.m3u8"].encode())


def _containers(folder: Path) -> None:
    """Rows 18 to 20, 26 to 29: containers that are not what they seem."""
    encode(folder / "m4a_as.wav", tone(3), codec="aac", container="ipod")
    _tracks(folder / "three_tracks.mkv", sounds=3, pictures=1)
    _tracks(folder / "video_only.mp4", sounds=0, pictures=1)
    encode(folder / "id3.tmp", tone(3), codec="libmp3lame", container="mp3")
    sound = (folder / "id3.tmp").read_bytes()
    (folder / "id3_picture.mp3").write_bytes(_id3(b"<script>alert(1)</script>", 20_000_000) + sound)
    encode(
        folder / "encrypted.mp4",
        tone(3),
        codec="aac",
        container="mp4",
        options={"encryption_scheme": "cenc-aes-ctr", **_KEY},
    )
    encode(folder / "m4b.tmp", tone(3), codec="aac", container="ipod")
    # FairPlay renames the sample entry; the sound behind it is scrambled.
    (folder / "drm.m4b").write_bytes((folder / "m4b.tmp").read_bytes().replace(b"mp4a", b"drms", 1))
    _chain(folder / "chained_rates.ogg", codec="flac", rates_hz=(16_000, 44_100))
    _chain(folder / "chained_alike.ogg", codec="libopus", rates_hz=(16_000, 16_000))
    shifts = {"negative": lambda pts: pts - 1_000, "huge": lambda pts: pts if pts < 1_500 else pts + 10**11}
    for name, shift in shifts.items():
        options = {"avoid_negative_ts": "disabled"}
        encode(folder / f"times_{name}.mkv", tone(3), codec="flac", container="matroska", shift=shift, options=options)
    for name in ("id3.tmp", "m4b.tmp"):
        (folder / name).unlink()


def _chain(path: Path, *, codec: str, rates_hz: tuple[int, ...]) -> None:
    parts = []
    for rate_hz in rates_hz:
        encode(path, tone(3, rate_hz=rate_hz), codec=codec, container="ogg", rate_hz=rate_hz)
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))


def _tracks(path: Path, *, sounds: int, pictures: int) -> None:
    """Two seconds of small pictures and of so many audio tracks."""
    with av.open(str(path), "w") as output:
        screens = [output.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p") for _ in range(pictures)]
        voices = [output.add_stream("aac", rate=16_000, layout="mono") for _ in range(sounds)]
        for number, voice in enumerate(voices, 1):
            voice.metadata["title"] = f"microphone {number}"
        for screen in screens:
            for index in range(20):
                picture = av.VideoFrame(32, 32, "yuv420p")
                picture.pts, picture.time_base = index, Fraction(1, 10)
                output.mux(screen.encode(picture))
            output.mux(screen.encode(None))
        for number, voice in enumerate(voices, 1):
            for packet in _packets(voice, tone(2, pitch_hz=110 * number), 16_000):
                output.mux(packet)


def _film(path: Path, codec: str, pictures: str, sound: bytes) -> None:
    """A track of sound, and after it one of 8 s of small pictures."""
    rate_hz = 48_000 if codec == "libopus" else 16_000
    with av.open(str(path), "w") as output:
        voice = output.add_stream(codec, rate=rate_hz, layout="mono")
        screen = output.add_stream(pictures, rate=10, width=32, height=32, pix_fmt="yuv420p")
        packets = list(_packets(voice, sound, rate_hz))
        for index in range(80):
            picture = av.VideoFrame(32, 32, "yuv420p")
            picture.pts, picture.time_base = index, Fraction(1, 10)
            packets += screen.encode(picture)
        packets += screen.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)


def _id3(title: bytes, picture_bytes: int) -> bytes:
    """An ID3v2.3 tag with a title and a picture (id3.org, ID3v2.3.0, sections 3.1 and 4.15)."""

    def frame(name: bytes, body: bytes) -> bytes:
        return name + struct.pack(">IH", len(body), 0) + body

    picture = frame(b"APIC", b"\0image/jpeg\0\x03\0" + bytes(picture_bytes))
    body = frame(b"TIT2", b"\0" + title) + picture
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + body


def _signals(folder: Path) -> None:
    """Rows 21 to 25 and 30: odd channels, rates, numbers and headers; sound without speech."""
    six = [tone(2, pitch_hz=110 * number) for number in range(1, 7)]
    (folder / "six_channels.wav").write_bytes(wav(interleave(*six), channels=6))
    (folder / "eight_channels.wav").write_bytes(wav(interleave(*six, *six[:2]), channels=8))
    voice = tone(2)
    against = array("h", (-value for value in array("h", voice))).tobytes()
    (folder / "opposite.wav").write_bytes(wav(interleave(voice, against), channels=2))
    encode(folder / "alaw.wav", tone(2, rate_hz=8_000), codec="pcm_alaw", container="wav", rate_hz=8_000)
    encode(folder / "phone.amr", tone(2, rate_hz=8_000), codec="libopencore_amrnb", container="amr", rate_hz=8_000)
    (folder / "gsm.wav").write_bytes(_gsm(2))
    (folder / "few_nan.wav").write_bytes(_doubles(bad=40))
    (folder / "many_nan.wav").write_bytes(_doubles(bad=40_000))
    for name, size in (("ffffffff", 0xFFFFFFFF), ("zero", 0)):
        (folder / f"size_{name}.wav").write_bytes(wav(tone(3), declared=size))
    (folder / "silence.wav").write_bytes(wav(bytes(64_000)))
    (folder / "noise.wav").write_bytes(wav(noise(2)))
    chord = interleave(*(tone(2, pitch_hz=pitch, level=0.2) for pitch in (220, 277, 330)))
    (folder / "music.wav").write_bytes(wav(chord, channels=3))


def _gsm(seconds: int) -> bytes:
    """GSM 06.10 as Windows writes it: blocks of 65 bytes for 320 samples. Any bits are some sound."""
    blocks = random.Random(23).randbytes(65 * 8_000 * seconds // 320)
    form = struct.pack("<HHIIHHHH", 0x31, 1, 8_000, 1_625, 65, 0, 2, 320)
    fact = struct.pack("<4sII", b"fact", 4, 8_000 * seconds)
    body = (
        b"WAVE"
        + struct.pack("<4sI", b"fmt ", len(form))
        + form
        + fact
        + struct.pack("<4sI", b"data", len(blocks))
        + blocks
    )
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _doubles(*, bad: int) -> bytes:
    """Half a second at 384 kHz as 64-bit floats, of which *bad* are no numbers."""
    rate_hz = 384_000
    values = array("d", (0.3 * math.sin(2 * math.pi * 440 * i / rate_hz) for i in range(rate_hz // 2)))
    for index in range(bad):
        values[3 * index] = (math.nan, math.inf, -math.inf)[index % 3]
    return wav(values.tobytes(), rate_hz=rate_hz, tag=3, bits=64)


def lose(start_s: float, end_s: float) -> Callable[[int], int | None]:
    """A shift for `encode` that loses what lies between two moments of sound at 16 kHz."""
    return lambda pts: None if start_s * 16_000 <= pts < end_s * 16_000 else pts


def chunk(name: bytes, body: bytes, *, declared: int | None = None, order: str = "<") -> bytes:
    """A chunk of a RIFF file; *declared* is the size that it claims."""
    size = len(body) if declared is None else declared
    return struct.pack(f"{order}4sI", name, size) + body + bytes(len(body) % 2)


def riff(*chunks: bytes, identifier: bytes = b"RIFF") -> bytes:
    """A RIFF/WAVE file of *chunks*."""
    body = b"WAVE" + b"".join(chunks)
    return struct.pack(">4sI" if identifier == b"RIFX" else "<4sI", identifier, len(body)) + body


def fmt(*, rate_hz: int = 16_000, order: str = "<") -> bytes:
    """The format chunk of 16-bit mono PCM."""
    return chunk(b"fmt ", struct.pack(f"{order}HHIIHH", 1, 1, rate_hz, 2 * rate_hz, 2, 16), order=order)


def _times(folder: Path) -> None:
    """Rows 35 and 36: sound that is missing inside a file, that begins late, that was cut off."""
    for name, codec, container in (("webm", "libopus", "webm"), ("m4a", "aac", "ipod"), ("flv", "aac", "flv")):
        options = {"live": "1"} if container == "webm" else {}
        encode(folder / f"gap.{name}", noise(8), codec=codec, container=container, shift=lose(3, 5), options=options)
    encode(folder / "g722.avi", noise(4), codec="g722", container="avi")
    _film(folder / "film.webm", "libopus", "libvpx", noise(8, rate_hz=48_000))
    _film(folder / "film_short.mkv", "aac", "mpeg4", noise(5))
    _film(folder / "film_short.mp4", "aac", "mpeg4", noise(5))
    encode(folder / "late.mkv", noise(4), codec="flac", container="matroska", shift=lambda pts: pts + 40_000)
    encode(folder / "late.mp4", noise(4), codec="aac", container="mp4", shift=lambda pts: pts + 40_000)
    encode(folder / "back.ts", noise(4), codec="aac", container="mpegts")
    (folder / "back.ts").write_bytes((folder / "back.ts").read_bytes() * 2)
    whole = folder / "whole.tmp"
    kinds = (("opus", "libopus", "ogg"), ("aac", "aac", "adts"), ("webm", "libopus", "webm"), ("avi", "aac", "avi"))
    kinds += (("w64", "pcm_s16le", "w64"), ("aiff", "pcm_s16be", "aiff"), ("mp2", "mp2", "mp2"), ("mpg", "mp2", "mpeg"))
    for name, codec, container in (*kinds, ("caf", "alac", "caf"), ("wma", "wmav2", "asf"), ("ts", "aac", "mpegts")):
        options = {"live": "1"} if container == "webm" else {}
        encode(whole, noise(8), codec=codec, container=container, bit_rate=64_000, options=options)
        data = whole.read_bytes()
        (folder / f"cut.{name}").write_bytes(data[: len(data) // 2 + 7])
    encode(whole, noise(8), codec="flac", container="flac")
    data = whole.read_bytes()
    (folder / "hole.flac").write_bytes(data[: len(data) // 2] + data[len(data) // 2 + 20_000 :])
    whole.unlink()


def _headers(folder: Path) -> None:
    """Rows 37 to 40: headers that do not have the last word; codec tags that are numbers."""
    sound = noise(8)
    swapped = array("h", sound)
    swapped.byteswap()
    waves = {
        "size_small": riff(fmt(), chunk(b"data", sound, declared=64_000)),
        "end_left_out": riff(fmt(), chunk(b"data", sound, declared=len(sound) - 2_800)),
        "size_odd": riff(fmt(), chunk(b"data", sound, declared=64_001)),
        "size_large": riff(fmt(), chunk(b"data", sound, declared=512_000)),
        "two_data": riff(
            fmt(), chunk(b"data", sound[:64_000]), chunk(b"LIST", b"INFO"), chunk(b"data", sound[64_000:])
        ),
        "data_first": riff(chunk(b"data", sound), fmt()),
        "no_fmt": riff(chunk(b"data", sound)),
        "rifx": riff(fmt(order=">"), chunk(b"data", swapped.tobytes(), order=">"), identifier=b"RIFX"),
    }
    for name, data in waves.items():
        (folder / f"{name}.wav").write_bytes(data)
    sizes = (
        ("w64", "pcm_s16le", 16, "<q", 64_024),
        ("caf", "pcm_s16le", 4, ">q", 512_004),
        ("aiff", "pcm_s16be", 4, ">I", 64_008),
    )
    for name, codec, offset, layout, size in sizes:
        encode(folder / "sized.tmp", sound, codec=codec, container=name)
        data = bytearray((folder / "sized.tmp").read_bytes())
        struct.pack_into(layout, data, data.index(b"SSND" if name == "aiff" else b"data") + offset, size)
        if name == "aiff":
            struct.pack_into(">I", data, data.index(b"COMM") + 10, 32_000)
        (folder / f"size_{'large' if name == 'caf' else 'small'}.{name}").write_bytes(data)
    (folder / "sized.tmp").unlink()
    encode(folder / "counted.tmp", sound, codec="libmp3lame", container="mp3", bit_rate=64_000)
    data = (folder / "counted.tmp").read_bytes()
    start = data.index(b"Info") + 8
    frames = int.from_bytes(data[start : start + 4], "big")
    for name, count in (("half", frames // 2), ("double", 2 * frames), ("absurd", 0xFFFFFFFF)):
        changed = data[:start] + count.to_bytes(4, "big") + data[start + 4 :]
        (folder / f"xing_{name}.mp3").write_bytes(changed)
    encode(folder / "counted.tmp", sound, codec="flac", container="flac")
    data = (folder / "counted.tmp").read_bytes()
    facts = int.from_bytes(data[18:26], "big")
    for name, total in (("half", 64_000), ("double", 256_000)):
        changed = data[:18] + (facts >> 36 << 36 | total).to_bytes(8, "big") + data[26:]
        (folder / f"total_{name}.flac").write_bytes(changed)
    (folder / "counted.tmp").unlink()
    encode(folder / "g722.wav", sound, codec="g722", container="wav")
    encode(folder / "aac.avi", sound, codec="aac", container="avi")
    encode(folder / "flac.wav", sound, codec="flac", container="wav")


def _channels(folder: Path) -> None:
    """Rows 41 and 42: faults in a part of a file; clipped sound, and a telephone's at another rate."""
    voice = noise(9)
    against = array("h", (-value for value in array("h", voice))).tobytes()
    third = 3 * 32_000
    part = voice[:third] + against[third : 2 * third] + voice[2 * third :]
    (folder / "opposite_part.wav").write_bytes(wav(interleave(voice, part), channels=2))
    dead = voice[:third] + bytes(third) + voice[2 * third :]
    (folder / "dead_part.wav").write_bytes(wav(interleave(voice, dead), channels=2))
    loud = array("h", (max(-32_768, min(32_767, 8 * value)) for value in array("h", voice))).tobytes()
    (folder / "clipped.wav").write_bytes(wav(loud))
    (folder / "phone_16.wav").write_bytes(wav(_band(3)))


def _band(seconds: int) -> bytes:
    """Sound of a telephone at 16 kHz: sines from 300 to 3,400 Hz, all of whole hertz, so that a second repeats."""
    pitches = random.Random(42).sample(range(300, 3_400), 40)
    rate_hz = 16_000
    second = (sum(math.sin(2 * math.pi * pitch * i / rate_hz + pitch) for pitch in pitches) for i in range(rate_hz))
    return array("h", (int(700 * value) for value in second)).tobytes() * seconds


def _irregular(folder: Path) -> None:
    """Rows 31 to 33: what is no file, what will change, what may not be read."""
    os.mkfifo(folder / "fifo.wav")
    (folder / "folder.wav").mkdir()
    (folder / "device.wav").symlink_to("/dev/zero")
    (folder / "dangling.wav").symlink_to("nowhere.wav")
    outside = folder.absolute().parent / f"{folder.absolute().name}-outside.wav"
    outside.write_bytes(wav(tone(1)))
    (folder / "escaping.wav").symlink_to(outside)
    for pitch, name in enumerate(("growing.wav", "replaced.wav", "forbidden.wav"), 200):
        (folder / name).write_bytes(wav(tone(60, pitch_hz=pitch)))
    (folder / "forbidden.wav").chmod(0)


def _archives(folder: Path) -> None:
    """Row 34: archives, plain and nested."""
    with zipfile.ZipFile(folder / "zip.mp3", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.wav"), wav(bytes(10_000_000)), zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(folder / "zip_of_zips.mp3", "w") as archive:
        for number in range(16):
            archive.writestr(zipfile.ZipInfo(f"{number}.zip"), (folder / "zip.mp3").read_bytes())
    with tarfile.open(folder / "tar.mp3", "w") as archive:
        member = tarfile.TarInfo("a.wav")
        data = wav(tone(1))
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))


def make(folder: Path, *, url: str = URL) -> None:
    """Make all of it in *folder*, which must be empty or absent. One file stands beside it, for a link to lead to."""
    folder.mkdir(parents=True, exist_ok=True)
    _broken(folder)
    _long(folder)
    _playlists(folder, url)
    _containers(folder)
    _signals(folder)
    _times(folder)
    _headers(folder)
    _channels(folder)
    _irregular(folder)
    _archives(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="make the hostile media of the bad-input corpus")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default=URL)
    arguments = parser.parse_args()
    make(arguments.folder, url=arguments.url)


if __name__ == "__main__":
    main()
