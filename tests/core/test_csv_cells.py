import pytest

from apps.core.csv_cells import csv_text, guarded


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_begins_like_a_formula(start):
    assert guarded(f"{start}1+1") == f"'{start}1+1"


def test_csv_text_keeps_numbers_and_quotes_texts():
    rows = [["name", "value"], ["=HYPERLINK()", -1.5], ['a "b", c', None]]

    assert csv_text(rows) == ('name,value\r\n\'=HYPERLINK(),-1.5\r\n"a ""b"", c",\r\n')
