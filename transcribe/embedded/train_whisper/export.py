"""A checkpoint -> the transformers folder and the int8 CTranslate2 folder that ship."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import tokenizers
import torch
from torch import Tensor

from transcribe.embedded.train_whisper import tokenizer as vocabulary
from transcribe.embedded.train_whisper.model import DECODER_POSITIONS, ENCODER_POSITIONS, MEL_BANDS
from transcribe.embedded.train_whisper.windows import ASKED


def export(checkpoint: Path, tokenizer: tokenizers.Tokenizer, *, hf: Path, ct2: Path) -> None:
    """Write the averaged weights of *checkpoint* as float16 to *hf* and as int8 to *ct2*."""
    network = _network(torch.load(checkpoint, weights_only=True), tokenizer)
    # From float16 the converter would make int8_float16, of which every load on a CPU warns.
    with tempfile.TemporaryDirectory() as whole:
        _write(network, tokenizer, Path(whole))
        _convert(Path(whole), ct2)
    _write(network.half(), tokenizer, hf)


def _write(network: Any, tokenizer: tokenizers.Tokenizer, folder: Path) -> None:
    from transformers import WhisperFeatureExtractor

    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(tokenizer, folder)
    WhisperFeatureExtractor(feature_size=MEL_BANDS).save_pretrained(str(folder))
    network.save_pretrained(str(folder))
    (folder / "model.safetensors").chmod(0o644)
    _write_manners(folder)


def _convert(hf: Path, ct2: Path) -> None:
    from ctranslate2.converters import TransformersConverter

    copied = ["tokenizer.json", "preprocessor_config.json"]
    with tempfile.TemporaryDirectory() as fresh:
        # The converter empties the folder that it is given, and the notes on the model lie in ours.
        TransformersConverter(str(hf), copy_files=copied).convert(fresh, quantization="int8", force=True)
        shutil.copytree(fresh, ct2, dirs_exist_ok=True)
    _write_manners(ct2)


def _write_manners(folder: Path) -> None:
    (folder / "boli.json").write_text(json.dumps({"window_ms": ASKED}) + "\n", encoding="utf-8")


def _write_tokenizer(tokenizer: tokenizers.Tokenizer, folder: Path) -> None:
    from transformers import WhisperTokenizerFast

    tokenizer.save(str(folder / "tokenizer.json"))
    special = [token.content for _, token in sorted(tokenizer.get_added_tokens_decoder().items())]
    fast = WhisperTokenizerFast.from_pretrained(
        str(folder),
        additional_special_tokens=special[1:],
        pad_token=special[0],
        # words are learned with the space before them; this gives the first one its own
        add_prefix_space=True,
    )
    fast.save_pretrained(str(folder))
    # transformers adds a template that prefixes every encoded text; the engine encodes bare words with this file
    tokenizer.save(str(folder / "tokenizer.json"))


def _network(state: dict[str, Any], tokenizer: tokenizers.Tokenizer) -> Any:
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    shape, special = state["shape"], vocabulary.ids(tokenizer)
    config = WhisperConfig(
        vocab_size=special.vocabulary,
        num_mel_bins=MEL_BANDS,
        d_model=shape["width"],
        encoder_layers=shape["encoder_layers"],
        decoder_layers=shape["decoder_layers"],
        encoder_attention_heads=shape["heads"],
        decoder_attention_heads=shape["heads"],
        encoder_ffn_dim=4 * shape["width"],
        decoder_ffn_dim=4 * shape["width"],
        max_source_positions=ENCODER_POSITIONS,
        max_target_positions=DECODER_POSITIONS,
        decoder_start_token_id=special.start,
        pad_token_id=special.end,
        bos_token_id=special.end,
        eos_token_id=special.end,
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )
    network = WhisperForConditionalGeneration(config)
    network.load_state_dict(_expanded(state["average"], vocabulary.Compact(tokenizer)), strict=False)
    network.tie_weights()
    _set_generation(network.generation_config, special, shape)
    return network


def _expanded(weights: dict[str, Tensor], compact: vocabulary.Compact) -> dict[str, Tensor]:
    """Parameters under transformers' names; the shared row is copied to every id that it stands for."""
    kept = {f"model.{name}": value for name, value in weights.items() if name.startswith(("encoder.", "decoder."))}
    name = "model.decoder.embed_tokens.weight"
    kept[name] = kept[name][torch.tensor(compact.expansion())]
    kept["proj_out.weight"] = kept[name]
    return kept


def averaged(folder: Path, compact: vocabulary.Compact) -> dict[str, Tensor]:
    """The weights of an exported *folder* of transformers under the trainer's names; outputs for training are gone."""
    from safetensors.torch import load_file

    kept = {
        name.removeprefix("model."): value.float()
        for name, value in load_file(folder / "model.safetensors").items()
        if name.startswith("model.")
    }
    name = "decoder.embed_tokens.weight"
    kept[name] = kept[name][torch.tensor([*compact.full, compact.expansion().index(compact.shared)])]
    return kept


def _set_generation(config: Any, special: vocabulary.Ids, shape: dict[str, int]) -> None:
    facts = {
        # the first layer's head looks at the word just written, the others' at the one being written
        "alignment_heads": [[layer, shape["aligned_head"]] for layer in range(1, shape["decoder_layers"])],
        "lang_to_id": {f"<|{language}|>": number for language, number in special.languages.items()},
        "task_to_id": {"translate": special.transcribe - 1, "transcribe": special.transcribe},
        "no_timestamps_token_id": special.no_timestamps,
        "prev_sot_token_id": special.previous,
        "decoder_start_token_id": special.start,
        "pad_token_id": special.end,
        "bos_token_id": special.end,
        "eos_token_id": special.end,
        "max_initial_timestamp_index": 50,
        "max_length": DECODER_POSITIONS,
        "is_multilingual": True,
        # else transformers takes the file for a copy of the network's configuration and drops it
        "_from_model_config": False,
        "return_timestamps": False,
        "suppress_tokens": [],
        "begin_suppress_tokens": [],
    }
    # GenerationConfig.update() drops what it does not know, and most of Whisper's settings are such.
    for name, value in facts.items():
        setattr(config, name, value)
