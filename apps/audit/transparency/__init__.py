"""Transparency log in pure functions: tree, tiles, signed notes, checkpoints, bundles.

Knows no Django and no portal. Formats are those of RFC 6962 and of C2SP (tlog-tiles,
signed-note, tlog-checkpoint), so that tools nobody here wrote can check what it makes.
"""
