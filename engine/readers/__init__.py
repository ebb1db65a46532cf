"""One module per kind of file that `ingest` takes.

Each has `read(task) -> types`: check the file, write `task.target`, say the SQL type of
every column. A quick pass proves that a file is fine; only when it cannot is the file
read again, slowly, to name every place that is wrong.
"""
