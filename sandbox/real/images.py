"""The images that every real node has: the pause container, CoreDNS, and what `sandbox images` built."""

import time
from collections.abc import Callable
from pathlib import Path

from sandbox.catalogue import recipes
from sandbox.files import locked
from sandbox.images.archive import Image, digest_of, write_archive, write_layer
from sandbox.images.build import archive_of, folder, forget
from sandbox.images.recipes import IMAGES
from sandbox.real import box
from sandbox.state import Cluster

PAUSE = "sandbox.invalid/pause:2"
# The shell takes leave of processes whose parents have ended, as Kubernetes' own does: pods that share their processes rely on it.
_SLEEP = 'trap "exit 0" TERM INT; while /bin/busybox sleep 2147483647 & wait $!; do :; done'
_WORTH_SAYING = 2.0  # seconds
BUSYBOX = Path("/bin/busybox")  # Debian's busybox-static


def coredns() -> str:
    """The name of CoreDNS's image."""
    return f"sandbox.invalid/coredns:{recipes()['coredns'].version}"


def make_base(coredns_program: Path, say: Callable[[str], None]) -> list[Path]:
    """The archives of the pause container and of CoreDNS, made unless they are there."""
    with locked(folder() / ".lock", lambda: say("waiting for a build of images to finish")):
        return _make_base(coredns_program)


def _make_base(coredns_program: Path) -> list[Path]:
    return [
        _make("pause-2", PAUSE, ("/bin/busybox", "sh", "-c", _SLEEP), BUSYBOX, "bin/busybox"),
        _make("coredns", coredns(), ("/coredns",), coredns_program, "coredns"),
    ]


def built() -> list[Path]:
    """What `sandbox images` built by its recipes of today. An archive of an older recipe would take the name of the image."""
    return [archive_of(image) for image in IMAGES if archive_of(image).is_file()]


def import_missing(cluster: Cluster, archives: list[Path], say: Callable[[str], None]) -> None:
    """Import the archives that this node was not given before."""
    record = cluster.folder / "node" / "imported"
    known = set(record.read_text().splitlines()) if record.exists() else set()
    for archive in archives:
        if archive.name not in known:
            begun = time.monotonic()
            box.import_image(cluster, archive)
            if (seconds := time.monotonic() - begun) > _WORTH_SAYING:
                say(f"{cluster.organization}: imported {archive.name} in {seconds:.0f} s")
            with record.open("a") as file:
                file.write(f"{archive.name}\n")


def _make(kind: str, name: str, entrypoint: tuple[str, ...], program: Path, place: str) -> Path:
    target = folder() / f"{kind}-{digest_of(program)[:12]}.tar"
    if not target.exists():
        layer = target.with_suffix(".layer")
        write_layer(layer, {place: program}, {place: 0o755})
        write_archive(target, Image(name=name, entrypoint=entrypoint), [layer])
        layer.unlink()
        forget(target)
    return target
