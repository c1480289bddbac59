"""Where things lie, and what a bad config file is told."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from p2pforum.config import Config, config_template, find_paths, load_config
from p2pforum.config.checks import CHECKS
from p2pforum.core import limits
from p2pforum.core.errors import ConfigError


def load(tmp_path: Path, text: str) -> Config:
    paths = find_paths(tmp_path, {})
    paths.config_file.write_text(text)
    return load_config(paths)


def test_home_holds_everything(tmp_path: Path) -> None:
    for paths in (find_paths(tmp_path, {}), find_paths(None, {"P2PFORUM_HOME": str(tmp_path)})):
        assert paths.home == tmp_path
        for path in (paths.data_dir, paths.keys_dir, paths.config_file, paths.socket_path):
            assert path.is_relative_to(tmp_path)


def test_keys_are_never_inside_the_data_directory(tmp_path: Path) -> None:
    """What a node may see is one directory, so that it can be confined to it."""
    installed = {"HOME": "/home/ada"}
    for paths in (find_paths(tmp_path, {}), find_paths(None, installed, checkout=tmp_path)):
        assert not paths.keys_dir.is_relative_to(paths.data_dir)
        assert paths.socket_path.parent == paths.data_dir


def test_xdg_directories(tmp_path: Path) -> None:
    environ = {"HOME": "/home/ada", "XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": "relative/is/ignored"}
    paths = find_paths(None, environ, checkout=tmp_path)
    assert paths.data_dir == Path("/data/p2pforum/node")
    assert paths.keys_dir == Path("/data/p2pforum/keys")
    assert paths.config_file == Path("/home/ada/.config/p2pforum/config.toml")
    assert paths.home is None


def test_a_checkout_keeps_its_keys(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    environ = {"HOME": "/home/ada"}
    assert find_paths(None, environ, checkout=tmp_path).keys_dir == Path(
        "/home/ada/.local/share/p2pforum/keys"
    )
    (tmp_path / "node.py").touch()
    assert find_paths(None, environ, checkout=tmp_path).keys_dir == tmp_path / "keys"
    assert find_paths("/elsewhere", environ, checkout=tmp_path).keys_dir == Path("/elsewhere/keys")


def test_no_file_is_the_defaults(tmp_path: Path) -> None:
    config = load_config(find_paths(tmp_path, {}))
    assert config == Config()
    assert config.params.name == "p2pforum"
    assert config.params.stamp_floor > 0


PEER = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"


def test_every_key(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        f"""
        network = "test.lab"
        listen = []
        peers = ["/ip4/192.0.2.1/tcp/4001/p2p/{PEER}"]
        boards = ["library"]
        retention_days = 7
        """,
    )
    peers = (f"/ip4/192.0.2.1/tcp/4001/p2p/{PEER}",)
    assert config == Config("test.lab", (), peers, ("library",), 7)
    assert config.params.stamp_floor == 0
    assert config.retention_hours == 168


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("netwrok = 'x'", ['unknown key "netwrok"', 'did you mean "network"?']),
        ("zzz = 1", ['unknown key "zzz"', "retention_days"]),
        ("network = 1", ["network:"]),
        ("network = 'Has Blanks'", ["network:"]),
        ("network = '%s'" % ("x" * 33), ["network: must be 1 to 32"]),
        ("test = true", ["test: there is no such key", 'network = "test.NAME"']),
        ("network = 'lab'\ntest = true", ["test: there is no such key", 'network = "test.lab"']),
        ("network = 'Lab'\ntest = false", ["remove this line", 'network = "test.NAME"']),
        ("listen = '/ip4/127.0.0.1/tcp/1'", ["listen: must be a list of texts"]),
        ("listen = ['127.0.0.1:4001']", ["listen:", "127.0.0.1:4001"]),
        ("peers = ['/ip4/127.0.0.1/tcp/4001']", ["peers:", "/p2p/"]),
        ("peers = [1]", ["peers: must be a list of texts"]),
        ("boards = ['Big one']", ["boards:", "Big one"]),
        ("retention_days = 0", ["retention_days:"]),
        ("retention_days = true", ["retention_days:"]),
        ("hold_minutes = -1", ["hold_minutes:"]),
        ("hold_minutes = 1441", ["hold_minutes:"]),
        ("retention_days = 1.5", ["retention_days:"]),
        ("= nonsense", ["not TOML", "line 1"]),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    for word in [str(tmp_path / "config.toml"), *words]:
        assert word in str(caught.value)


def test_how_long_posts_are_held_is_drawn_up_to_a_day_and_hardly_if_nothing_is_hidden() -> None:
    assert Config().hold_seconds == 30 * 60
    assert Config(hold_minutes=CHECKS["hold_minutes"]("hold_minutes", 1440)).hold_seconds == 24 * 3600
    assert Config(hold_minutes=CHECKS["hold_minutes"]("hold_minutes", 0)).hold_seconds == 0
    assert Config(hide_origin=False).hold_seconds == limits.OPEN_HOLD_SECONDS


def test_files_that_are_no_config(tmp_path: Path) -> None:
    paths = find_paths(tmp_path, {})
    paths.config_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not TOML"):
        load_config(paths)
    paths.config_file.write_text("#" * 300_000)
    with pytest.raises(ConfigError, match="larger than"):
        load_config(paths)
    paths.config_file.write_text("network = " + "[" * 5_000)
    with pytest.raises(ConfigError, match="not TOML"):
        load_config(paths)
    paths.config_file.unlink()
    paths.config_file.mkdir()
    with pytest.raises(ConfigError, match="directory"):
        load_config(paths)


def test_template_shows_every_key_with_its_default() -> None:
    template = config_template()
    assert tomllib.loads(template) == {}
    shown = tomllib.loads("\n".join(line[1:] for line in template.splitlines() if line[1:2].isalpha()))
    assert shown == {
        f.name: list(v) if isinstance(v := getattr(Config(), f.name), tuple) else v for f in fields(Config)
    }


def test_every_key_has_a_check_and_no_check_is_left_over() -> None:
    assert CHECKS.keys() == {field.name for field in fields(Config)}
