"""An object as the cache keeps it: metadata decoded, the rest raw until somebody asks."""

from __future__ import annotations

import msgspec

from steady.objects.keys import Key
from steady.objects.meta import ObjectMeta

EMPTY = msgspec.Raw(b"")


class RawObject(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Any Kubernetes object. `spec`, `status` and `data` hold their JSON, or nothing."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: msgspec.Raw = EMPTY
    status: msgspec.Raw = EMPTY
    data: msgspec.Raw = EMPTY

    @property
    def key(self) -> Key:
        """Where the object is found within its kind."""
        return Key(self.metadata.namespace, self.metadata.name)


class ListMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Metadata of a list answer; `continue_` is empty on the last page."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class RawList(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One page of a list."""

    metadata: ListMeta = ListMeta()
    items: tuple[msgspec.Raw, ...] = ()


class RawEvent(msgspec.Struct, frozen=True, gc=False):
    """One line of a watch: `type` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    type: str
    object: msgspec.Raw


_object = msgspec.json.Decoder(RawObject)
_list = msgspec.json.Decoder(RawList)
_event = msgspec.json.Decoder(RawEvent)


def decode_object(data: bytes | msgspec.Raw) -> RawObject:
    """Decode one object; its raw parts own their bytes, so they do not keep `data` alive.

    Raises msgspec.DecodeError when it is not JSON, msgspec.ValidationError when the metadata is not metadata.
    """
    return owned(_object.decode(data))


def decode_list(data: bytes) -> RawList:
    """Decode one page of a list; its items are still raw."""
    return _list.decode(data)


def decode_event(line: bytes) -> RawEvent:
    """Decode one line of a watch; its object is still raw."""
    return _event.decode(line)


def owned(obj: RawObject) -> RawObject:
    """`obj` with raw parts that own their bytes instead of pointing into a larger buffer."""
    return RawObject(
        obj.api_version,
        obj.kind,
        obj.metadata,
        obj.spec.copy(),
        obj.status.copy(),
        obj.data.copy(),
    )
