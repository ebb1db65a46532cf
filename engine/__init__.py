"""Machine learning without Django: `python -m engine <verb> <folder>`.

A job folder goes in (`spec.json`, `inputs/`), results come out (`progress.jsonl`,
`outputs/`, `result.json`). Nothing in here knows the portal; the portal knows only
`engine.spec` and the folder.
"""

ENGINE_VERSION = "1.0"
