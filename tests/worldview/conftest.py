import pytest


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write prior files into a folder that is the working directory, so that names in messages are short."""
    monkeypatch.chdir(tmp_path)

    def write_file(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write_file
