"""A real control plane (etcd and kube-apiserver) for tests, built from Go modules and run on loopback.

`python -m steady.testing.controlplane build` makes the binaries once, outside the work tree; `ControlPlane`
runs them. Nothing here simulates: what answers is the Kubernetes API server itself.
"""

from steady.testing.controlplane.audit import AuditEntry, AuditLog
from steady.testing.controlplane.binaries import BinariesMissingError, locate
from steady.testing.controlplane.credentials import ADMIN, OPERATOR, USER, Actor
from steady.testing.controlplane.kubectl import Kubectl, Output
from steady.testing.controlplane.plane import ControlPlane, StartFailedError

__all__ = [
    "ADMIN",
    "OPERATOR",
    "USER",
    "Actor",
    "AuditEntry",
    "AuditLog",
    "BinariesMissingError",
    "ControlPlane",
    "Kubectl",
    "Output",
    "StartFailedError",
    "locate",
]
