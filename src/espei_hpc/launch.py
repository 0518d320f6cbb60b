"""stub"""
def main() -> int:
    """Stub."""
    return 0
