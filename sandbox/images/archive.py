"""OCI image archives written by hand: the same files give the same bytes."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

_OCI = "application/vnd.oci.image"
_EPOCH = "1970-01-01T00:00:00Z"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Image:
    """What an image says of itself. `name` has its tag: `sandbox.invalid/pause:1`."""

    name: str
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = ""


def write_archive(target: Path, image: Image, layers: Sequence[Path]) -> None:
    """Write the archive whole or not at all. `layers` are tar files, from the lowest; uncompressed, so that an import is quick."""
    described = [_describe(layer, f"{_OCI}.layer.v1.tar") for layer in layers]
    config = _json(
        {
            "architecture": _architecture(),
            "os": "linux",
            "created": _EPOCH,
            "config": _config(image),
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in described]},
            "history": [{"created": _EPOCH, "created_by": "sandbox"} for _ in layers],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _descriptor(config, f"{_OCI}.config.v1+json"),
            "layers": described,
        }
    )
    names = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name.rpartition(":")[2]}
    index = {"schemaVersion": 2, "manifests": [_descriptor(manifest, f"{_OCI}.manifest.v1+json") | {"annotations": names}]}
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tarfile.open(draft, "w") as archive:
            _put(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            _put(archive, "index.json", _json(index))
            for blob in (config, manifest):
                _put(archive, _blob_path(hashlib.sha256(blob).hexdigest()), blob)
            stored = {layer["digest"]: path for layer, path in zip(described, layers, strict=True)}  # a layer may occur twice
            for digest, path in stored.items():
                with path.open("rb") as data:
                    _add(archive, _blob_path(digest.removeprefix("sha256:")), path.stat().st_size, data)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def write_layer(target: Path, files: Mapping[str, Path | bytes | str], modes: Mapping[str, int] | None = None) -> None:
    """Write a layer's tar: path in the image -> a file or folder of ours, content, or (a text) where a symbolic link leads.

    All belongs to root; times and order never differ. `modes` are of single files and folders: those of contents are else 0644.
    """
    modes = modes or {}
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as layer:
        for name in _parents(files):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, modes.get(name, 0o755)
            layer.addfile(folder)
        for name, source in sorted(files.items()):
            if isinstance(source, Path):
                _add_tree(layer, name, source, modes)
            elif isinstance(source, bytes):
                _put(layer, name, source, modes.get(name, 0o644))
            else:
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.SYMTYPE, source
                layer.addfile(link)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def _config(image: Image) -> dict[str, Any]:
    environment = {"PATH": _PATH} | dict(image.environment)
    rows = {
        "User": image.user,
        "WorkingDir": image.folder,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Entrypoint": list(image.entrypoint),
        "Cmd": list(image.command),
    }
    return {name: value for name, value in rows.items() if value}


def _parents(files: Mapping[str, object]) -> list[str]:
    """Every folder above the files, in an order in which each follows its own."""
    return sorted({str(parent) for name in files for parent in Path(name).parents if str(parent) != "."})


def _add_tree(layer: tarfile.TarFile, name: str, source: Path, modes: Mapping[str, int]) -> None:
    """Add a file, or a folder with all that it holds."""
    info = layer.gettarinfo(source, arcname=name)
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    info.mode = modes.get(name, info.mode)
    if info.islnk():  # a file that occurs twice: written out, so that the order of reading makes no difference
        info.type, info.size, info.linkname = tarfile.REGTYPE, source.stat().st_size, ""
    if not info.isreg():
        layer.addfile(info)
    else:
        with source.open("rb") as data:
            layer.addfile(info, data)
    if info.isdir():
        for inside in sorted(source.iterdir()):
            _add_tree(layer, f"{name}/{inside.name}", inside, modes)


def _describe(path: Path, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{digest_of(path)}", "size": path.stat().st_size}


def _descriptor(blob: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}", "size": len(blob)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _blob_path(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _put(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    _add(archive, name, len(content), io.BytesIO(content), mode)


def _add(archive: tarfile.TarFile, name: str, size: int, data: BinaryIO, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, mode
    archive.addfile(info, data)
