"""Chart values about the insides of FATE's images: where their files are, and which of them are patched."""

from typing import Literal

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import NonEmpty


class ImageEdit(Model):
    """One replacement inside a file of an image; it must be there."""

    find: NonEmpty
    replace: str


class ImagePatch(Model):
    """A file of a module's image that an init container copies, edits and mounts over the original."""

    module: NonEmpty
    file: NonEmpty = Field(description="Absolute path.")
    edits: tuple[ImageEdit, ...]


class FateflowLayout(Model):
    """Where FATE-Flow's image keeps what the chart reaches into; paths below /data/projects/fate."""

    service_conf: Literal["1", "2"] = Field(description="Format of service_conf.yaml: FATE's major version.")
    conf: NonEmpty = Field(description="Folder of service_conf.yaml.")
    routes: Literal["folders", "links"] = Field(
        description="Route tables: folders of their own inside conf, or links from conf to mounted folders."
    )
    server: NonEmpty = Field(description="The program.")
    folders: dict[str, NonEmpty] = Field(description="Folders that are kept, by their name in the claim.")


class FateboardLayout(Model):
    """Where fateboard's image keeps its files; paths below /data/projects/fate."""

    home: NonEmpty
    ssh: NonEmpty = Field(description="Folder of ssh.properties, inside home.")
    start: tuple[NonEmpty, ...] = Field(description="Java's last arguments: what to start.")


class EggrollLayout(Model):
    """Java's last arguments for Eggroll's programs."""

    clustermanager: tuple[NonEmpty, ...]
    nodemanager: tuple[NonEmpty, ...]
    session: NonEmpty = Field(description="Name of the programs' session, -s.")


class Layout(Model):
    """What differs inside the images of FATE's releases."""

    fateflow: FateflowLayout
    fateboard: FateboardLayout
    eggroll: EggrollLayout
    python_path: tuple[NonEmpty, ...] = Field(
        (), description="PYTHONPATH of what runs tasks, below /data/projects/fate; empty: the image's own."
    )
