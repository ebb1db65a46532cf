"""Broken CSV, TSV and JSON Lines."""

from tests.engine.corpus.broken import Broken

_MANY = b"age,note\n" + b"1,x\n" * 25_000
_NESTED = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"

FILES = (
    Broken("csv-empty", "a.csv", b"", "The file is empty"),
    Broken("csv-header-alone", "a.csv", b"a,b\n", "a header but no rows"),
    Broken("csv-blank-header", "a.csv", b"\n1,2\n", "no column names"),
    Broken("csv-nameless-column", "a.csv", b"a,,c\n1,2,3\n", "Column 2 has no name"),
    Broken("csv-names-twice", "a.csv", b"Id,b,id\n1,2,3\n", "1 and 3 are both named"),
    Broken(
        "csv-too-many-columns",
        "a.csv",
        b",".join(b"c%d" % n for n in range(2_001)) + b"\n" + b"1," * 2_000 + b"1\n",
        "2,001 columns, more than 2,000",
    ),
    Broken(
        "csv-latin-1",
        "a.csv",
        "a,b\n1,2\n1,caf\xe9\n2,na\xefve\n".encode("latin-1"),
        "Line 3 is not UTF-8 text (byte 0xE9)",
        ((3, None, "1,caf"), (4, None, "2,na")),
    ),
    Broken(
        "csv-utf-16", "a.csv", "a,b\n1,2\n".encode("utf-16"), "Line 1 is UTF-16, not"
    ),
    Broken(
        "csv-utf-32", "a.csv", "a,b\n1,2\n".encode("utf-32"), "Line 1 is UTF-32, not"
    ),
    Broken(
        "csv-utf-8-cut-in-a-character",
        "a.csv",
        "a,b\n1,é".encode()[:-1],
        "Line 2 is not UTF-8",
        ((2, None, "1,"),),
    ),
    Broken(
        "csv-nul-bytes",
        "a.csv",
        b"a,b\n1,2\n1,\0\n2,3\n\0,4\n",
        "Line 3 holds a NUL byte",
        ((3, None, "1,␀"), (5, None, "␀,4")),
    ),
    Broken(
        "csv-endless-line",
        "a.csv",
        b"a,b\n1,2\n" + b"x" * 1_100_000 + b",2\n",
        "Line 3 is longer than 1 MB",
        ((3, None, "xxx"),),
    ),
    Broken(
        "csv-quote-not-closed",
        "a.csv",
        b'a,b\n1,2\n1,"open\n1,2\n',
        "Row 3 has a quote that is not closed",
        ((3, None, '1,"open'),),
    ),
    Broken(
        "csv-quote-not-doubled",
        "a.csv",
        b'a,b\n1,"x"y\n',
        "Row 2 has a quote that is not closed or not doubled",
        ((2, None, '1,"x"y'),),
    ),
    Broken(
        "csv-row-too-short",
        "a.csv",
        b"a,b\n1,2\n1\n",
        'Row 3 has 1 fields instead of 2; it ends before column "b"',
        ((3, "b", "1"),),
    ),
    Broken(
        "csv-row-too-long",
        "a.csv",
        b"a,b\n1,2\n1,2,3\n",
        'Row 3 has 3 fields instead of 2; extra fields follow column "b"',
        ((3, "b", "1,2,3"),),
    ),
    Broken(
        "csv-number-becomes-text",
        "a.csv",
        _MANY + b"old,y\n",
        "Row 25,002, column \"age\": 'old' does not fit the type integer",
        ((25_002, "age", "old"),),
    ),
    Broken(
        "csv-impossible-date",
        "a.csv",
        b"day\n" + b"2024-01-31\n" * 25_000 + b"2024-02-31\n",
        "Row 25,002, column \"day\": '2024-02-31' does not fit the type date",
        ((25_002, "day", "2024-02-31"),),
    ),
    Broken(
        "csv-errors-of-several-kinds",
        "a.csv",
        _MANY + b"2\nold,y\n1,2,3\n" + b'4,"open\n',
        "Row 25,002 has 1 fields instead of 2",
        (
            (25_002, "note", "2"),
            (25_004, "note", "1,2,3"),
            (25_005, None, '4,"open'),
        ),
    ),
    Broken(
        "csv-short-row-and-wrong-value",
        "a.csv",
        _MANY + b"2\nold,y\n",
        "Row 25,002 has 1 fields instead of 2",
        ((25_002, "note", "2"), (25_003, "age", "old")),
    ),
    Broken(
        "csv-line-ends-mixed", "a.csv", b"a\n1\r\n2\r\n", "check quotes and line ends"
    ),
    Broken("csv-is-a-zip", "a.csv", b"PK\x03\x04rest", "a zip archive or Excel"),
    Broken("csv-is-a-pdf", "a.csv", b"%PDF-1.7\na,b\n", "a PDF document, not CSV"),
    Broken("csv-is-parquet", "a.csv", b"PAR1rest", "a Parquet file, not CSV"),
    Broken("csv-is-a-program", "a.csv", b"\x7fELF\x02\x01", "a program, not CSV"),
    Broken(
        "csv-too-many-rows",
        "a.csv",
        b"a\n1\n2\n3\n",
        "3 rows, more than the 2 allowed",
        options=(("max_rows", 2),),
    ),
    Broken("tsv-with-commas", "a.tsv", b"a,b\n1,2\n", 'row 1 is divided by ","'),
    Broken(
        "tsv-row-too-short",
        "a.tsv",
        b"a\tb\n1\t2\n1\n",
        "Row 3 has 1 fields instead of 2",
        ((3, "b", "1"),),
    ),
    Broken("jsonl-empty", "a.jsonl", b"", "The file is empty"),
    Broken("jsonl-blank-lines", "a.jsonl", b"\n\n", "The file holds no rows"),
    Broken(
        "jsonl-broken-line",
        "a.jsonl",
        b'{"a": 1}\n{"a": 2\n{"a": nope}\n',
        "Line 2 is not JSON (Expecting ',' delimiter at character 8)",
        ((2, None, '{"a": 2'), (3, None, '{"a": nope}')),
    ),
    Broken(
        "jsonl-an-array",
        "a.jsonl",
        b'[{"a": 1}]\n',
        "Line 1 is a list, not an object",
        ((1, None, '[{"a": 1}]'),),
    ),
    Broken(
        "jsonl-nested-value",
        "a.jsonl",
        b'{"a": 1}\n{"a": {"b": [2]}}\n',
        'Line 2, key "a": holds an object',
        ((2, "a", '{"b": [2]}'),),
    ),
    Broken(
        "jsonl-key-twice",
        "a.jsonl",
        b'{"a": 1, "a": 2}\n',
        'Line 1, key "a": stands twice',
        ((1, "a", "a"),),
    ),
    Broken(
        "jsonl-kind-changes",
        "a.jsonl",
        b'{"a": 1}\n{"a": "one"}\n{"a": true}\n',
        'Line 2, key "a": "one" is text, but the lines before hold a number',
        ((2, "a", '"one"'), (3, "a", "true")),
    ),
    Broken(
        "jsonl-not-a-number",
        "a.jsonl",
        b'{"a": NaN}\n',
        "Line 1 is not JSON (NaN is not a JSON number; use null)",
        ((1, None, '{"a": NaN}'),),
    ),
    Broken(
        "jsonl-number-too-long",
        "a.jsonl",
        b'{"a": 123456789012345678901}\n',
        'Line 1, key "a": is a number of more than 19 digits',
        ((1, "a", "123456789012345678901"),),
    ),
    Broken(
        "jsonl-nul-character",
        "a.jsonl",
        b'{"a": "x\\u0000y"}\n',
        'Line 1, key "a": holds a NUL character',
        ((1, "a", "x\\u0000y"),),
    ),
    Broken(
        "jsonl-half-a-character",
        "a.jsonl",
        b'{"a": "ok"}\n{"a": "\\ud800"}\n',
        'Line 2, key "a": holds half a character',
        ((2, "a", "\\ud800"),),
    ),
    Broken("jsonl-too-deep", "a.jsonl", _NESTED, "Line 1 is nested too deeply"),
    Broken("jsonl-names-twice", "a.jsonl", b'{"a": 1, "A": 2}\n', "are both named"),
    Broken("jsonl-is-gzip", "a.jsonl", b"\x1f\x8b\x08", "a gzip archive, not JSON"),
)
