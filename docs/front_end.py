"""A front end of forty lines. It needs p2pforum.app and nothing else, and works with and without a node.

python docs/front_end.py post BOARD SUBJECT < text
python docs/front_end.py reply ID < text
python docs/front_end.py new HOUR         (public posts dated since then, in hours since 1970)
python docs/front_end.py follow HOUR      (the same, and then each post as it comes)
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from p2pforum.app.following import Follower
from p2pforum.app.session import Session
from p2pforum.app.shapes import PostShape, post_shape, written_shape
from p2pforum.app.unlocking import made_keystore
from p2pforum.app.writing import Writer


def show(post: PostShape) -> None:
    print(json.dumps(post), flush=True)  # ASCII only: a text of others can't steer the terminal


def main(command: str, *words: str) -> None:
    """Run one of the commands above. Raises P2PForumError."""
    with Session() as session:
        match command, *words:
            case "post", board, subject:
                with Writer(session, made_keystore(session)[0]) as writer:
                    show(written_shape(writer.post(board, subject, sys.stdin.read())))
            case "reply", typed:
                with Writer(session, made_keystore(session)[0]) as writer:
                    show(written_shape(writer.reply([session.reader.resolve(typed)], sys.stdin.read())))
            case (("new" | "follow"), hour):
                follower = Follower(session, since=int(hour))
                for row in follower.wait() if command == "follow" else follower.new():
                    show(post_shape(row))


main(*sys.argv[1:])
