"""What tests of controllers stand on: never imported by the runtime itself."""
