"""Installing: from the lock, on machines that have next to nothing."""
