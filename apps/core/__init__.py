"""What several apps share and no domain owns: blobs, queue, sandbox, errors, ids."""
