"""Every loader of a model, with a folder that it takes and what must make it refuse that folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.poisons import Poison, array_of_objects, cut, header, module, pickled, saved_by_torch, setting, text
from transcribe import embedded
from transcribe.backends import by_dialect, whisper_folder
from transcribe.backends.by_dialect import Routes
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.backends.real_diariser import build_diariser
from transcribe.training import trainer
from transcribe.training.convert import to_ctranslate2
from transcribe.training.derive import derive
from transcribe.training.whisper import load_whisper

#: Files that no folder of a Whisper may hold, whatever stands in them.
STRANGE_FILES: Final[Mapping[str, Poison]] = {
    **{name: saved_by_torch(name) for name in ("pytorch_model.bin", "optimizer.pt", "model.pth", "last.ckpt")},
    **{name: pickled(name) for name in ("weights.pkl", "training_args.bin", "model.joblib", "more/model.PKL")},
    **{name: array_of_objects(name) for name in ("mel_filters.npz", "vectors.npy")},
    **{name: module(name) for name in ("modeling_whisper.py", "custom_generate/generate.py", "tokenization.pyc")},
    "chat_template.jinja": text("chat_template.jinja", "{{ cycler.__init__.__globals__.os.system('touch CANARY') }}"),
    "adapter_config.json": setting("adapter_config.json", base_model_name_or_path="stranger/base"),
    "net.onnx": pickled("net.onnx"),
}
#: Settings that name code: by the libraries' own keys, in each file that they read.
STRANGE_SETTINGS: Final[Mapping[str, Poison]] = {
    "model code": setting("config.json", auto_map={"AutoModel": ".stranger.Model"}),
    "tokenizer code": setting("tokenizer_config.json", auto_map={"AutoTokenizer": [None, ".stranger.Tokenizer"]}),
    "feature code": setting("preprocessor_config.json", auto_map={"AutoFeatureExtractor": ".stranger.Features"}),
    "processor code": setting("processor_config.json", auto_map={"AutoProcessor": ".stranger.Processor"}),
    "nested code": setting("config.json", decoder={"deeper": [{"auto_map": {"AutoConfig": ".stranger.Config"}}]}),
    "trust": setting("config.json", trust_remote_code=True),
    "another model": setting("config.json", model_type="stranger"),
    "a class of the model": setting("config.json", architectures=["os.system"]),
    "a class of the tokenizer": setting("tokenizer_config.json", tokenizer_class="subprocess.Popen"),
    "a class of the features": setting("preprocessor_config.json", feature_extractor_type="subprocess.Popen"),
    "a class of the processor": setting("preprocessor_config.json", processor_class="subprocess.Popen"),
    "a template": setting("tokenizer_config.json", chat_template="{{ ''.__class__.__mro__ }}"),
    "generation code": setting("generation_config.json", custom_generate="stranger/generate"),
    "kernels": setting("config.json", attn_implementation="stranger/kernels"),
    "quantisers": setting("config.json", quantization_config={"quant_method": "stranger"}),
    "weights elsewhere": setting("model.safetensors.index.json", weight_map={"proj_out": "../pytorch_model.bin"}),
    "settings without end": text("generation_config.json", "[" * 200_000),
    "settings that are none": pickled("config.json"),
}
PIPELINE: Final[Mapping[str, Poison]] = {
    "a preprocessor": text(
        "config.yaml", "preprocessors: {audio: {name: subprocess.Popen, params: {args: [touch, CANARY]}}}\n"
    ),
    "a tag of Python": text("config.yaml", 'pipeline: !!python/object/apply:os.system ["touch CANARY"]\n'),
    "a pickled configuration": pickled("config.yaml"),
    "a class of the network": setting("segmentation/model.json", architecture="os.system"),
    "pickled weights": pickled("embedding/model.safetensors"),
    "cut weights": cut("embedding/model.safetensors"),
    "a header without end": header("segmentation/model.safetensors"),
    "cut arrays": cut("plda/plda.npz"),
    "pickled arrays": array_of_objects("plda/plda.npz"),
    "other pickled arrays": array_of_objects("plda/xvec_transform.npz"),
    "arrays that are a pickle": pickled("plda/plda.npz"),
}


def _replace_network(part: str, poison: Poison) -> Poison:
    def poison_part(folder: Path, canary: Path) -> Path:
        shutil.rmtree(folder / part)
        return poison(folder, canary)

    return poison_part


#: Where a checkpoint stands in place of a network that was written here.
CHECKPOINTS: Final[Mapping[str, Poison]] = {
    f"{kind} {part}": _replace_network(part, make(f"{part}/pytorch_model.bin"))
    for part in ("segmentation", "embedding")
    for kind, make in (("a checkpoint,", saved_by_torch), ("a pickle,", pickled))
}


@dataclass(frozen=True, kw_only=True)
class Loader:
    """A loader with a folder that it takes, and everything that must make it refuse that folder."""

    make: Callable[[Path], object]
    load: Callable[[Path], object]
    poisons: Mapping[str, Poison]
    #: Calls in the source that open files of models, as ``module callee``.
    calls: tuple[str, ...] = ()


def _copy(source: Path) -> Callable[[Path], object]:
    return lambda folder: shutil.copytree(source, folder)


def _make_nothing(folder: Path) -> None:
    folder.mkdir()


def _write_routes(folder: Path) -> None:
    by_dialect.write_routes(folder, Routes(others="embedded", by_dialect={"hi": "embedded"}))


def _resume(folder: Path) -> object:
    return trainer.read_checkpoint(folder / "checkpoint.pt")


WHISPER: Final = {**STRANGE_FILES, **STRANGE_SETTINGS}
DRAFTER: Final = {
    **WHISPER,
    "pickled weights": pickled("model.bin"),
    "weights of torch": saved_by_torch("model.bin"),
    "a pickled tokenizer": pickled("tokenizer.json"),
    "cut weights": cut("model.bin"),
}
TRAINED: Final = {
    **WHISPER,
    "pickled weights": pickled("model.safetensors"),
    "cut weights": cut("model.safetensors"),
    "a header without end": header("model.safetensors"),
}
#: Seen only where the weights and the tokenizer are loaded.
LOADED_LATE: Final = ("a pickled tokenizer", "cut weights")
LOADERS: Final[Mapping[str, Loader]] = {
    "drafter": Loader(
        make=_copy(embedded.whisper()),
        load=lambda folder: FasterWhisperRecogniser(folder, device="cpu", threads=1),
        poisons=DRAFTER,
        calls=("backends.faster_whisper_recogniser WhisperModel",),
    ),
    "model to take in": Loader(
        make=_copy(embedded.whisper()),
        load=lambda folder: by_dialect.look(str(folder), str),
        poisons={name: poison for name, poison in DRAFTER.items() if name not in LOADED_LATE},
    ),
    "drafter to derive a base from": Loader(
        make=_copy(embedded.whisper()),
        load=lambda folder: derive(folder, folder.with_name("derived")),
        poisons=DRAFTER,
        calls=("training.derive from_pretrained",),
    ),
    "base or tuned model": Loader(
        make=_copy(embedded.whisper_for_training()),
        load=load_whisper,
        poisons=TRAINED,
        calls=("training.whisper from_pretrained",),
    ),
    "tuned model to convert": Loader(
        make=_copy(embedded.whisper_for_training()),
        load=lambda folder: to_ctranslate2(folder, folder.with_name("converted")),
        poisons=TRAINED | {"a pickled tokenizer": pickled("tokenizer.json")},
        # What it converts, it holds against the trainer's: a folder that was made the moment before.
        calls=("training.convert TransformersConverter", "training.convert Whisper"),
    ),
    "tokenizer": Loader(
        make=_copy(embedded.whisper_for_training()),
        load=whisper_folder.read_tokenizer,
        poisons={
            "pickled": pickled("tokenizer.json"),
            "of torch": saved_by_torch("tokenizer.json"),
            "without end": text("tokenizer.json", "[" * 200_000),
            "of a class": text("tokenizer.json", '{"model": {"type": "os.system", "vocab": {}}}'),
        },
        calls=("backends.whisper_folder from_file",),
    ),
    "diariser": Loader(
        make=_copy(embedded.diariser()),
        load=lambda folder: PyannoteDiariser(folder, device="cpu"),
        poisons=PIPELINE,
        calls=(
            "backends.pipeline_folder safe_load",
            "backends.pipeline_folder np.load",
            "backends.pipeline_folder PLDA",
            "backends.pipeline_folder import_module",
            "backends.network_folder load_file",
            "backends.network_folder import_module",
        ),
    ),
    "diariser of checkpoints": Loader(
        make=_copy(embedded.diariser()),
        load=lambda folder: PyannoteDiariser(folder, device="cpu"),
        poisons=CHECKPOINTS,
        calls=("backends.checkpoint torch.load",),
    ),
    "diariser that is built of fetched weights": Loader(
        make=_make_nothing,
        load=lambda folder: build_diariser(folder / "segmentation.bin", folder / "encoder.pt", folder / "built"),
        poisons={"a checkpoint": saved_by_torch("segmentation.bin"), "a pickle": pickled("segmentation.bin")},
        # The file of numbers that ships with boli.
        calls=("backends.real_diariser np.load",),
    ),
    "checkpoint to go on from": Loader(
        make=_make_nothing,
        load=_resume,
        poisons={"of torch": saved_by_torch("checkpoint.pt"), "a pickle": pickled("checkpoint.pt")},
        calls=("training.trainer torch.load",),
    ),
    "models by dialect": Loader(
        make=_write_routes,
        load=by_dialect.read_routes,
        poisons={"a pickle": pickled("dialects.json"), "no routes": text("dialects.json", '{"others": ["os.system"]}')},
    ),
}
