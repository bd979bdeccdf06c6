"""From a path or an address to text."""

import codecs
import http.client
import re
import urllib.error
import urllib.request
from pathlib import Path

SAVE = "save it as 'CSV UTF-8' in the program that made it"
NO_TEXT = {
    b"PK\x03\x04": ("an Excel workbook or another zip archive", SAVE),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", SAVE),
    b"%PDF": ("a PDF", "copy its table into a spreadsheet and save that as 'CSV UTF-8'"),
    b"\x1f\x8b": ("compressed", "unpack it first"),
    b"PAR1": ("a Parquet file", "pandas.read_parquet reads it"),
}
# In this order, because the mark of UTF-32 begins with that of UTF-16.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
MARKUP = re.compile(r"\s*<(!doctype|html|head|body|table|\?xml|!--)", re.IGNORECASE)


def read_text(source: str | Path) -> tuple[str, str, str, list[str]]:
    """The file's name, its text with ``\\n`` at line ends, the encoding, and a sentence if that was guessed.

    Errors are those of ``reading.read_table``.
    """
    if isinstance(source, str) and re.match(r"https?://", source, re.IGNORECASE):
        file, raw = source.rstrip("/").rpartition("/")[2], _fetch(source)
    elif isinstance(source, str | Path):
        path = Path(source).expanduser()
        file, raw = path.name, _open(path)
    else:
        raise ValueError(f"This is no path and no address but a {type(source).__name__}.")
    for magic, (what, way_out) in NO_TEXT.items():
        if raw.startswith(magic):
            raise ValueError(f"{file} is {what}, no text; {way_out}.")
    text, encoding, told = _decode(raw, file)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if MARKUP.match(text):
        raise ValueError(
            f"{file} is a web page (HTML or XML), no table of text; download the table behind it, on "
            "GitHub by 'Raw', in Google Sheets by 'Download' as CSV."
        )
    return file, text, encoding, told


def _fetch(address: str) -> bytes:
    request = urllib.request.Request(address, headers={"User-Agent": "helpers.reading"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = f"{error}".rstrip(".") or type(error).__name__
        raise ValueError(
            f"{address} cannot be read ({reason}); check the address, or download the file and give "
            "its path."
        ) from None


def _open(path: Path) -> bytes:
    if path.is_dir():
        files = sorted(file.name for file in path.glob("*.[ct]sv"))
        has = f"it holds {', '.join(files[:5])}" if files else "it holds no CSV file"
        raise ValueError(f"{path} is a folder, and {has}; give the path of a file.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no file {path}; Python looks from {Path.cwd()}, so check name and folder."
        ) from None
    except OSError as error:
        raise ValueError(
            f"{path} cannot be opened ({error.strerror}); close it elsewhere or copy it."
        ) from None


def _decode(raw: bytes, file: str) -> tuple[str, str, list[str]]:
    """Text of bytes, and its encoding: by their mark, else UTF-8, else what western Windows writes."""
    encoding = next((name for mark, name in MARKS.items() if raw.startswith(mark)), None)
    encoding = encoding or _without_mark(raw)
    try:
        return raw.decode(encoding), encoding, []
    except UnicodeDecodeError as error:
        if not encoding.startswith("utf-8"):
            raise ValueError(f"{file} is broken {encoding.upper()} text; {SAVE}.") from None
        return _decode_windows(raw, file, error.start)


def _without_mark(raw: bytes) -> str:
    """UTF-16 without its mark shows by a zero byte beside each plain letter."""
    even, odd = raw[:1000:2].count(0), raw[1:1000:2].count(0)
    if 4 * max(even, odd) > len(raw[:1000]):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8"


def _decode_windows(raw: bytes, file: str, start: int) -> tuple[str, str, list[str]]:
    """Text that is no UTF-8 from byte ``start`` on, unless it is partly UTF-8."""
    line = len(re.findall(rb"\r\n|\r|\n", raw[:start])) + 1
    no_utf8 = f"{file} is not UTF-8 text (byte {start}, in line {line})"
    loosely = raw.decode("utf-8", errors="replace")
    if any(ord(letter) > 127 and letter != "\ufffd" for letter in loosely):
        raise ValueError(f"{no_utf8}, though in parts it is; {SAVE}.")
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{no_utf8} and not Windows-1252 (byte {error.start}) either; {SAVE}."
        ) from None
    word = re.search(r"\w*[^\x00-\x7f]\w*", text).group()
    told = f"{no_utf8}, so it was read as Windows-1252, in which {word!r} stands there."
    return text, "cp1252", [told]
