"""What a Kubernetes object is: metadata, keys, conditions, patches, selectors. Data only, no behaviour beyond it."""

from steady.objects.children import ConfigMap
from steady.objects.conditions import Condition
from steady.objects.keys import Key, Resource
from steady.objects.meta import ObjectMeta, OwnerReference
from steady.objects.raw import RawObject
from steady.objects.view import Column, Object, Scale, Spec, Status, resource

__all__ = [
    "Column",
    "Condition",
    "ConfigMap",
    "Key",
    "Object",
    "ObjectMeta",
    "OwnerReference",
    "RawObject",
    "Resource",
    "Scale",
    "Spec",
    "Status",
    "resource",
]
