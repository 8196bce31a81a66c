import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.worldview.toml_lines import key_lines, line_of

TEXT = '''# comment
title = "a # b"
long = """
not = "a key"
""""
a.b."c d" = 1

[priors.investment]   # comment
growth = { mu = 0.1, "sigma" = 0.2 }
listed = [
    { x = 1 },
    # between
    { x = 2, y = [ "]", '}' ] },
]

[[things]]
name = 'first'

[[things]]
name = 'second'
[things.inner]
deep = 1979-05-27T07:32:00Z
'''


def test_keys_have_the_lines_on_which_they_stand():
    lines = key_lines(TEXT)
    assert lines["title",] == 2
    assert lines["long",] == 3
    assert ("not",) not in lines
    assert lines["a", "b", "c d"] == 6
    assert lines["priors", "investment"] == 8
    assert lines["priors", "investment", "growth", "sigma"] == 9
    assert lines["priors", "investment", "listed", 0, "x"] == 11
    assert lines["priors", "investment", "listed", 1, "y"] == 13
    assert lines["things", 0, "name"] == 17
    assert lines["things", 1, "name"] == 20
    assert lines["things", 1, "inner", "deep"] == 22


def test_a_path_without_a_line_has_that_of_its_parent():
    lines = key_lines(TEXT)
    assert line_of(lines, ("priors", "investment", "growth", "nu")) == 9
    assert line_of(lines, ("nowhere",)) is None


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abc=.[]{}\"'#,\n 1_-\\\t", max_size=80))
def test_no_text_crashes_the_scanner(text):
    lines = key_lines(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab=.[]{}\"'#,\n 1", max_size=60))
def test_every_key_of_valid_toml_is_found(text):
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError):
        return
    lines = key_lines(text)
    assert {path[0] for path in lines} == set(data)
