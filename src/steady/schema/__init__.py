"""From Python types to the CRDs that the API server enforces: one source for both."""

from steady.schema.crd import crd
from steady.schema.openapi import SchemaError, schema
from steady.schema.structural import problems

__all__ = ["SchemaError", "crd", "problems", "schema"]
