"""A proxy in the config file: which are understood, and what can't stand beside one."""

from pathlib import Path

import pytest

from p2pforum.config import Config, Proxy, find_paths, load_config
from p2pforum.core.errors import ConfigError

TOR = "socks5://127.0.0.1:9050"
ONION = "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:4001"


def load(tmp_path: Path, text: str) -> Config:
    paths = find_paths(tmp_path, {})
    paths.config_file.write_text(text)
    return load_config(paths)


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        (TOR, Proxy("127.0.0.1", 9050)),
        ("socks5://[::1]:1", Proxy("::1", 1)),
        ("socks5://10.152.152.10:9050/", Proxy("10.152.152.10", 9050)),  # the gateway of a Whonix
    ],
)
def test_a_proxy(tmp_path: Path, text: str, proxy: Proxy) -> None:
    config = load(tmp_path, f'proxy = "{text}"')
    assert config.socks == proxy
    assert config.proxy == str(proxy) == text.rstrip("/")


def test_none_by_default(tmp_path: Path) -> None:
    assert Config().socks is None
    assert load(tmp_path, 'proxy = ""\nlan = true').socks is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://127.0.0.1:8118", "the node speaks only SOCKS5"),
        ("socks5h://127.0.0.1:9050", "the node speaks only SOCKS5"),
        ("127.0.0.1:9050", "the node speaks only SOCKS5"),
        (
            "socks5://localhost:9050",
            '"localhost" is not an IP address, and your machine would look the name up',
        ),
        ("socks5://tor.example:9050", "your machine would look the name up"),
        ("socks5://:9050", "your machine would look the name up"),
        ("socks5://[fe80::1%eth0]:9050", "your machine would look the name up"),
        ("socks5://127.0.0.1", "must end with its port"),
        ("socks5://127.0.0.1:0", "must end with its port"),
        ("socks5://127.0.0.1:9050/path", "must end with its port"),
        ("socks5://127.0.0.1:99999", "is not a proxy such as"),
        ("socks5://[::1:9050", "is not a proxy such as"),
        ("socks5://me:secret@127.0.0.1:9050", "leave user and password out"),
    ],
)
def test_what_is_no_proxy(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match="proxy: ") as caught:
        load(tmp_path, f'proxy = "{text}"')
    assert words in str(caught.value)
    with pytest.raises(ConfigError, match="must be a text"):
        load(tmp_path, "proxy = 9050")


PEER = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
_BYPASSES = [
    ('listen = ["/ip4/0.0.0.0/tcp/4001"]', "listen: with a proxy a node listens on this machine only"),
    ('listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/192.168.1.7/tcp/0"]', "not at /ip4/192.168.1.7/tcp/0"),
    ('listen = ["/ip6/::/tcp/4001"]', "listen:"),
    (
        'announce = ["/ip4/203.0.113.7/tcp/4001"]',
        "announce: /ip4/203.0.113.7/tcp/4001 says where this node is",
    ),
    ('announce = ["/dns/home.example/tcp/4001"]', "announce:"),
    ("lan = true", "lan: with a proxy it must be false"),
]


@pytest.mark.parametrize(("line", "words"), _BYPASSES)
def test_what_would_go_past_a_proxy_is_refused_beside_one(tmp_path: Path, line: str, words: str) -> None:
    load(tmp_path, line)  # alone it may stand
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f'{line}\nproxy = "{TOR}"')
    assert words in str(caught.value)
    assert str(tmp_path / "config.toml") in str(caught.value)


def test_what_may_stand_beside_a_proxy(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        f"""
        proxy = "{TOR}"
        listen = ["/ip4/127.0.0.1/tcp/4001", "/ip4/127.4.5.6/tcp/0", "/ip6/::1/tcp/4001"]
        announce = ["{ONION}"]
        peers = ["{ONION}/p2p/{PEER}", "/dns4/forum.example/tcp/4001/p2p/{PEER}"]
        """,
    )
    assert config.announce == (ONION,)
    assert load(tmp_path, f'proxy = "{TOR}"\nlisten = []').listen == ()
    assert load(tmp_path, f'proxy = "{TOR}"').listen == Config().listen


def test_no_config_that_goes_past_its_proxy_can_be_made() -> None:
    """The command line too makes one, of a file's and its own parts."""
    with pytest.raises(ConfigError, match="listen:"):
        Config(proxy=TOR, listen=("/ip4/0.0.0.0/tcp/1",))
