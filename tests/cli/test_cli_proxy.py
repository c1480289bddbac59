"""`run --proxy`: what is refused before anything starts."""

import pytest
from cli_world import CONFIG, World

TOR = "socks5://127.0.0.1:9050"


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("", "--proxy: it is empty"),  # of a variable that is not set: it must not mean "no proxy"
        ("socks5://localhost:9050", '--proxy: "localhost" is not an IP address'),
        ("http://127.0.0.1:8118", "--proxy: "),
    ],
)
def test_what_is_no_proxy_is_a_wrong_use(world: World, proxy: str, words: str) -> None:
    result = world.run("run", "--proxy", proxy)
    assert result.code == 2
    assert words in result.err


@pytest.mark.parametrize(
    ("config", "arguments", "words"),
    [
        ("", ("--listen", "/ip4/0.0.0.0/tcp/0"), "listen: with a proxy a node listens on this machine only"),
        ('listen = ["/ip4/0.0.0.0/tcp/0"]\n', (), "listen:"),
        ('announce = ["/ip4/203.0.113.7/tcp/4001"]\n', ("--listen", "none"), "announce:"),
        ("lan = true\n", (), "lan:"),
    ],
)
def test_what_would_go_past_the_proxy_does_not_start(
    world: World, config: str, arguments: tuple[str, ...], words: str
) -> None:
    (world.home / "config.toml").write_text(CONFIG + config)
    result = world.run("run", "--proxy", TOR, *arguments)
    assert result.code == 2
    assert words in result.err
    assert not (world.home / "data").exists(), "nothing was started"
