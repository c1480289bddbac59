"""The rules of the codecs, each with the text that keeps it and a text that breaks it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    rule: str
    module: str
    old: str
    new: str


def _of(module: str, *changes: tuple[str, str, str]) -> list[Mutant]:
    return [Mutant(rule, f"p2pforum.{module}", old, new) for rule, old, new in changes]


LIMITS = _of(
    "core.limits",
    ("a post of 16,001 bytes", "MAX_POST = 16_000", "MAX_POST = 16_001"),
    ("no post of 16,000 bytes", "MAX_POST = 16_000", "MAX_POST = 15_999"),
    ("a body of 12,289 bytes", "MAX_BODY = 12 * KIB", "MAX_BODY = 12 * KIB + 1"),
    ("no body of 12,288 bytes", "MAX_BODY = 12 * KIB", "MAX_BODY = 12 * KIB - 1"),
    ("a subject of 201 bytes", "MAX_SUBJECT = 200", "MAX_SUBJECT = 201"),
    ("no subject of 200 bytes", "MAX_SUBJECT = 200", "MAX_SUBJECT = 199"),
    ("five parents", "MAX_PARENTS = 4", "MAX_PARENTS = 5"),
    ("no four parents", "MAX_PARENTS = 4", "MAX_PARENTS = 3"),
    ("hour 2^31", "MAX_HOUR = 2**31", "MAX_HOUR = 2**31 + 1"),
    ("no hour 2^31 - 1", "MAX_HOUR = 2**31", "MAX_HOUR = 2**31 - 1"),
    ("arrays nest to 5", "MAX_NESTING = 4", "MAX_NESTING = 5"),
    ("arrays nest to 3", "MAX_NESTING = 4", "MAX_NESTING = 3"),
    ("257 messages", "MAX_RPC_MESSAGES = 256", "MAX_RPC_MESSAGES = 257"),
    ("no 256 messages", "MAX_RPC_MESSAGES = 256", "MAX_RPC_MESSAGES = 255"),
    ("5,001 IDs", "MAX_RPC_IDS = 5_000", "MAX_RPC_IDS = 5_001"),
    ("no 5,000 IDs", "MAX_RPC_IDS = 5_000", "MAX_RPC_IDS = 4_999"),
    ("6,001 fields", "MAX_RPC_FIELDS = 6_000", "MAX_RPC_FIELDS = 6_001"),
    ("no 6,000 fields", "MAX_RPC_FIELDS = 6_000", "MAX_RPC_FIELDS = 5_999"),
    ("an RPC of 262,145 bytes", "MAX_RPC = 256 * KIB", "MAX_RPC = 256 * KIB + 1"),
    ("no RPC of 262,144 bytes", "MAX_RPC = 256 * KIB", "MAX_RPC = 256 * KIB - 1"),
    ("17 subscriptions, GRAFT, PRUNE, IHAVE", "MAX_SUBSCRIPTIONS = 16", "MAX_SUBSCRIPTIONS = 17"),
    ("no 16 of them", "MAX_SUBSCRIPTIONS = 16", "MAX_SUBSCRIPTIONS = 15"),
    ("a topic of 129 bytes", "MAX_TOPIC_NAME = 128", "MAX_TOPIC_NAME = 129"),
    ("no topic of 128 bytes", "MAX_TOPIC_NAME = 128", "MAX_TOPIC_NAME = 127"),
    ("a record of 1,001 bytes", "MAX_PEER_RECORD = 1_000", "MAX_PEER_RECORD = 1_001"),
    ("no record of 1,000 bytes", "MAX_PEER_RECORD = 1_000", "MAX_PEER_RECORD = 999"),
    ("nine addresses in a record", "MAX_PEER_ADDRESSES = 8", "MAX_PEER_ADDRESSES = 9"),
    ("no eight addresses in a record", "MAX_PEER_ADDRESSES = 8", "MAX_PEER_ADDRESSES = 7"),
    ("an address of 257 characters", "MAX_PEER_ADDRESS = 256", "MAX_PEER_ADDRESS = 257"),
    ("no address of 256 characters", "MAX_PEER_ADDRESS = 256", "MAX_PEER_ADDRESS = 255"),
    ("number 2^32", "MAX_PEER_SEQUENCE = 2**32", "MAX_PEER_SEQUENCE = 2**32 + 1"),
    ("no number 2^32 - 1", "MAX_PEER_SEQUENCE = 2**32", "MAX_PEER_SEQUENCE = 2**32 - 1"),
    ("65 things of a kind in an invite", "MAX_INVITED = 64", "MAX_INVITED = 65"),
    ("no 64 things of a kind in an invite", "MAX_INVITED = 64", "MAX_INVITED = 63"),
)

NETWORK = _of(
    "core.network_params",
    ("a stamp floor of 9 bits", "stamp_floor: int = 10", "stamp_floor: int = 9"),
    ("a stamp floor of 11 bits", "stamp_floor: int = 10", "stamp_floor: int = 11"),
    ("a test network by any name with test in it", 'name.startswith("test.")', '"test" in name'),
    ("test. alone is no test network", 'name == "test" or', 'name == "test." or'),
    ("another external_aad of posts", 'f"{self.name}/post/1"', 'f"{self.name}/post/2"'),
    ("another external_aad of records", 'f"{self.name}/peer/1"', 'f"{self.name}/peer/2"'),
    ("another topic", 'f"{self.name}/posts/1"', 'f"{self.name}/post/1"'),
)

POST = _of(
    "core.post",
    ("posts with more fields", "not _is_list(fields, 8)", "len(fields) < 8"),
    ("fields of any type", "return type(value) is int and 0 <= value < 2**64", "return value < 2**64"),
    ("version 0", "if version < 1 or", "if"),
    ("version 65,536", "version >= 2**16", "version > 2**16"),
    ("no version 65,535", "version >= 2**16", "version >= 2**16 - 1"),
    ("kind 65,536", "kind > kinds.LARGEST", "kind > kinds.LARGEST + 1"),
    ("no kind 65,535", "kind > kinds.LARGEST", "kind >= kinds.LARGEST"),
    ("boards of any name", "or not text.is_valid_board(board)", ""),
    ("boards as bytes", "type(board) is not str or ", "type(board) is not str and "),
    ("roots of any size", "type(root) is not bytes or len(root) not in (0, ID_SIZE)", "False"),
    ("parents of any size", " or len(p) != ID_SIZE for p", " for p"),
    ("parents as texts", "type(p) is not bytes or len(p)", "len(p)"),
    ("parents in any order", "a >= b for a, b", "a == b for a, b"),
    ("a parent twice", "a >= b for a, b", "a > b for a, b"),
    ("replies without parents", "if bool(root) != bool(parents):", "if bool(parents) and not root:"),
    ("parents without a root", "if bool(root) != bool(parents):", "if bool(root) and not parents:"),
    ("content of any type", "type(content) is not list or ", "type(content) is list and "),
    ("texts inside arrays are not looked at", "type(item) is list and not _has", "False and not _has"),
    (
        "texts of unknown kinds are not looked at",
        "not _has_valid_texts(content):",
        "not _has_valid_texts(content) and version == 1 and kind < 6:",
    ),
    (
        "texts of unknown versions are not looked at",
        "not _has_valid_texts(content):",
        "not _has_valid_texts(content) and version == 1:",
    ),
    (
        "contents of founding kinds are not looked at",
        "if row is not None and row.is_founding and not row.fits",
        "if row is None and not row.fits",
    ),
    ("the founding kinds' rules hold in every version", "if payload.version == VERSION else None", ""),
    ("any seed reveals", "if crypto_sign_seed_keypair(seed)[0] != author:", "if False:"),
    ("stamps of any length", "not _is_list(stamp, 3)", "len(stamp) < 3"),
    ("nonces of any size", "        or len(nonce) != NONCE_SIZE\n", ""),
    ("nonces of any type", "type(nonce) is not bytes\n        or len", "len"),
    ("an empty signature structure", "envelope.to_be_signed(author, payload, params.post_aad)", "payload"),
)

KINDS = _of(
    "core.kinds",
    ("subjects of two lines", ' and "\\n" not in value', ""),
    (
        "subjects counted in characters",
        "type(value) is str and len(value.encode()) <= limits.MAX_SUBJECT",
        "type(value) is str and len(value) <= limits.MAX_SUBJECT",
    ),
    (
        "bodies counted in characters",
        "len(value.encode()) <= limits.MAX_BODY",
        "len(value) <= limits.MAX_BODY",
    ),
    (
        "bodies as bytes",
        "return type(value) is str and len(value.encode()) <= limits.MAX_BODY",
        "return len(value) <= limits.MAX_BODY",
    ),
    (
        "roots with more than subject and body",
        "return len(content) == 2 and is_subject",
        "return len(content) >= 2 and is_subject",
    ),
    (
        "replies with more than a body",
        "return len(content) == 1 and is_body",
        "return len(content) >= 1 and is_body",
    ),
    ("subjects of any size", "is_subject(content[0]) and is_body(content[1])", "is_body(content[1])"),
    (
        "retracts as roots",
        "return not is_root and len(content) == 1 and is_id",
        "return len(content) == 1 and is_id",
    ),
    (
        "retracts of several",
        "not is_root and len(content) == 1 and is_id",
        "not is_root and len(content) >= 1 and is_id",
    ),
    ("retracts of anything", "len(content) == 1 and is_id(content[0])", "len(content) == 1"),
    ("supersedes as roots", "return not is_root and len(content) == 2", "return len(content) == 2"),
    ("supersedes with more", "not is_root and len(content) == 2", "not is_root and len(content) >= 2"),
    ("supersedes of anything", "len(content) == 2 and is_id(content[0]) and", "len(content) == 2 and"),
    ("supersedes of any size", "is_id(content[0]) and is_body(content[1])", "is_id(content[0])"),
    ("IDs of any size", "type(value) is bytes and len(value) == ID_SIZE", "type(value) is bytes"),
    ("IDs as texts", "type(value) is bytes and len(value) == ID_SIZE", "len(value) == ID_SIZE"),
    (
        "reveals as roots",
        "return not is_root and len(content) == 1 and type",
        "return len(content) == 1 and type",
    ),
    (
        "reveals with more",
        "not is_root and len(content) == 1 and type",
        "not is_root and len(content) >= 1 and type",
    ),
    (
        "a rule for a kind that is set aside",
        'Row(Kind.REVEAL, "reveal", Meaning.REVEALS, False, False, _fits_reveal, is_founding=True),',
        'Row(Kind.REVEAL, "reveal", Meaning.REVEALS, False, False, _fits_reveal, is_founding=True),'
        'Row(3, "label", Meaning.TEXT, False, False, _fits_retract, is_founding=True),',
    ),
)

BOARDS = _of(
    "core.text",
    ("underscores in boards", "[a-z0-9.-]", "[a-z0-9._-]"),
    ("capitals in boards", "[a-z0-9.-]", "[a-zA-Z0-9.-]"),
    ("no dots in boards", "[a-z0-9.-]", "[a-z0-9-]"),
    ("a line feed behind a board", "MAX_BOARD_NAME and _NAME.fullmatch", "MAX_BOARD_NAME and _NAME.match"),
)

TEXT = _of(
    "core.text",
    ("U+0000 travels", r"[\x00-\x09", r"[\x01-\x09"),
    ("U+0009 travels", r"\x00-\x09", r"\x00-\x08"),
    ("no line feed", r"\x00-\x09\x0b", r"\x00-\x0b"),
    ("U+000B travels", r"\x0b-\x1f", r"\x0c-\x1f"),
    ("U+001F travels", r"\x0b-\x1f", r"\x0b-\x1e"),
    ("U+007F travels", r"\x7f-\x9f", r"\x80-\x9f"),
    ("U+009F travels", r"\x7f-\x9f", r"\x7f-\x9e"),
    ("no U+00A0", r"\x7f-\x9f", r"\x7f-\xa0"),
    ("U+202A travels", r"\u202a-\u202e", r"\u202b-\u202e"),
    ("U+202E travels", r"\u202a-\u202e", r"\u202a-\u202d"),
    ("no U+202F", r"\u202a-\u202e", r"\u202a-\u202f"),
    ("no U+2029", r"\u202a-\u202e", r"\u2029-\u202e"),
    ("U+2066 travels", r"\u2066-\u2069", r"\u2067-\u2069"),
    ("U+2069 travels", r"\u2066-\u2069", r"\u2066-\u2068"),
    ("no U+2060", r"\u2066-\u2069", r"\u2060-\u2069"),
    ("no U+206A", r"\u2066-\u2069", r"\u2066-\u206a"),
    ("U+E0000 travels", r"\U000e0000-\U000e007f", r"\U000e0001-\U000e007f"),
    ("U+E007F travels", r"\U000e0000-\U000e007f", r"\U000e0000-\U000e007e"),
    ("no U+E0100", r"\U000e0000-\U000e007f", r"\U000e0000-\U000e0100"),
    ("no U+FEFF", r"\U000e0000-\U000e007f", r"\ufeff\U000e0000-\U000e007f"),
    ("no U+200D", r"\u202a-\u202e", r"\u200d\u202a-\u202e"),
    ("ASCII is not looked at", 'text.replace("\\n", "").isprintable()', "True"),
)

ENVELOPE = _of(
    "core.envelope",
    ("any bytes behind the key", "or raw[_KEY_END:_PAYLOAD_HEAD] != _AFTER_KEY", ""),
    ("any bytes before the key", "not raw.startswith(_BEFORE_KEY) or ", ""),
    ("any bytes before the signature", "if not raw.startswith(_BEFORE_SIGNATURE, end):", "if False:"),
    ("a long head of the payload", "raw[_PAYLOAD_HEAD:start] == _bytes_head(end - start)", "True"),
    ("algorithm -8", r"\xa2\x01\x32\x04", r"\xa2\x01\x27\x04"),
    ("what is signed has no name", r'b"\x84\x6aSignature1"', r'b"\x84\x6aSignature2"'),
)

CBOR = _of(
    "core.plain_cbor",
    ("numbers in a long form", "or number < _LEAST[low - 24]", ""),
    ("lengths left open", "if low > 27:", "if False:"),
    ("maps, tags, floats", "if head >= _OTHERS:\n        raise", "if False:\n        raise"),
    ("something behind the end", "if at != size:", "if at > size:"),
    ("any nesting", "len(above) >= depth or ", ""),
)

STAMP = _of(
    "core.stamp",
    ("another salt", "[:16]", "[16:]"),
    ("the salt has eight bytes of hour", 'to_bytes(4, "big")', 'to_bytes(8, "big")'),
    ("the salt's hour begins with its low byte", 'hour.to_bytes(4, "big")', 'hour.to_bytes(4, "little")'),
    ("two passes", "_PASSES = 1", "_PASSES = 2"),
    ("twice the memory", "_MEMORY = 256 * 1024", "_MEMORY = 512 * 1024"),
    ("any algorithm", "if stamp.algorithm != ARGON2ID_256K:", "if False:"),
    ("one bit more counts", "256 - int", "257 - int"),
)

SIGNATURE = _of(
    "core.signature",
    ("keys of any order", "bindings.crypto_core_ed25519_is_valid_point(public_key)", "True"),
)

ID = _of(
    "core.post_id",
    ("i, l, o, u in IDs", '"0123456789abcdefghjkmnpqrstvwxyz"', '"0123456789abcdefghijklmnopqrstuv"'),
    ("padding in front", '"big") << 4', '"big")'),
    ("any end of a whole ID", "and low & 15", "and False"),
    ("an ID made by another hash", "hashlib.sha256(sig_structure)", "hashlib.blake2s(sig_structure)"),
)

NAMES = _of(
    "core.pseudonym",
    ("names that the thread does not change", "blake2b(key + root,", "blake2b(key,"),
    ("names without a person", 'person=b"p2pforum-name"', 'person=b""'),
    ("other consonants", '"bdfghjklmnprstvz"', '"bdfghjklmnprstvx"'),
    ("other vowels", '"aiou"', '"aeou"'),
    ("pictures by columns", "bits >> (row * half + column)", "bits >> (column * GRID + row)"),
    ("pictures that are not symmetric", "left + left[-2::-1]", "left + left[:2]"),
    ("another hue", "digest[8:10]", "digest[9:11]"),
    ("hues to 359", "% 360", "% 359"),
    ("two proquints swapped", "for i in (0, 2, 4)", "for i in (2, 0, 4)"),
)

ORDER = _of(
    "core.thread",
    ("later posts first", "sorted(posts, key=_by_time, reverse=True)", "sorted(posts, key=_by_time)"),
    ("hours alone decide", "return post.hour, post.id", "return post.hour, bytes(32)"),
    ("replies as deep as what they answer", "(reply, depth + 1)", "(reply, depth)"),
    ("parents that are missing are not named", "if p not in by_id)", "if p in by_id)"),
    ("one parent is enough", "if not waiting[reply.id] and reply.id", "if reply.id"),
)

SYNC = _of("sync.boards", ("tags without a person", "person=_PERSON", 'person=b""'))

PEER_ID = _of(
    "core.peer_id",
    ("another head", "002408011220", "002408011221"),
)

RPC = _of(
    "gossip.wire.rpc",
    ("messages in two topics", "topics == 1", "topics >= 1"),
    ("messages without a topic", "topics == 1", "topics <= 1"),
    ("authors are not noticed", "            authored = True", "            authored = False"),
    ("the field from is allowed", "frozenset({1, 3, 5, 6})", "frozenset({3, 5, 6})"),
    ("the field seqno is allowed", "frozenset({1, 3, 5, 6})", "frozenset({1, 5, 6})"),
    ("the field signature is allowed", "frozenset({1, 3, 5, 6})", "frozenset({1, 3, 6})"),
    ("the field key is allowed", "frozenset({1, 3, 5, 6})", "frozenset({1, 3, 5})"),
    ("PRUNE in seconds in another field", "number == 3 and wire == VARINT", "number == 2 and wire == VARINT"),
    (
        "topics that are not UTF-8",
        "rpc.data[start:end].decode()",
        'rpc.data[start:end].decode("utf-8", "replace")',
    ),
)

FIELDS = _of(
    "gossip.wire.protobuf",
    ("field number 0", "0 < number < 2**29", "number < 2**29"),
    ("numbers above 64 bits", 'require(value < 2**64, "a number above 64 bits")', "pass"),
    ("numbers without an end", "require(shift < 70,", "require(True,"),
    ("fields that end behind their place", "require(size <= end - pos,", "require(True,"),
    ("eight bytes are four", "size = 8 if wire == FIXED64 else 4", "size = 4"),
)

RECORDS = _of(
    "exchange.record",
    ("records of another version", " or fields[0] != VERSION", ""),
    ("records with more fields", "len(fields) != 3", "len(fields) < 3"),
    ("number 0", "1 <= sequence", "0 <= sequence"),
    ("no address", "1 <= len(addresses)", "0 <= len(addresses)"),
    ("addresses in any order", "a >= b for", "a == b for"),
    ("an address twice", "a >= b for", "a > b for"),
    ("addresses that are bytes", "type(address) is str and ", ""),
    ("blanks in addresses", ' and " " not in address', ""),
    ("other characters than ASCII", "address.isascii() and ", ""),
    ("controls in addresses", " and address.isprintable()", ""),
    ("addresses without a slash", 'and address.startswith("/")', "and True"),
    ("peer IDs in addresses", 'and "/p2p/" not in address', "and True"),
    ("any signature", "if not signature.verify(", "if False and signature.verify("),
    ("signed as a post", "params.peer_aad), signed, key)", "params.post_aad), signed, key)"),
)

EXCHANGE = _of(
    "exchange.wire",
    ("records of any number", " or len(records) == most", ""),
    ("sizes in one byte", "_HEAD = 2", "_HEAD = 1"),
    ("anything behind the records", 'if frame[at:].strip(b"\\x00"):', "if False:"),
)

INVITES = _of(
    "core.invite",
    ("invites of version 2", "VERSION = 1", "VERSION = 2"),
    ("networks of any name", "not is_valid_network(network)", "False"),
    ("boards that can't be", "or not is_valid_board(board)", ""),
    ("keys of any size", "or len(key) != ID_SIZE", ""),
    ("lines that nobody would make", "if encode_invite(invite) != line:", "if False:"),
)

BUNDLES = _of(
    "core.bundle",
    ("another magic", r"\x89p2pforum\r\n", r"\x89p2pforum\n"),
    ("another mark", r'b"\xb7\x1ep2"', r'b"\xb7\x1ep3"'),
    ("checks of 15 bytes", "_CHECK = 16", "_CHECK = 15"),
    ("sizes in four bytes", 'struct.Struct(">H")', 'struct.Struct(">I")'),
    ("posts of no bytes", "not 0 < size <= limits.MAX_POST", "size > limits.MAX_POST"),
    ("posts of any size", "not 0 < size <= limits.MAX_POST", "not 0 < size"),
    ("posts beyond their frame", " or at + size > len(payload):", ":"),
    (
        "half sizes",
        "if at + _SIZE.size > len(payload):\n            raise",
        "if at + _SIZE.size > len(payload):\n            return raws\n            raise",
    ),
    ("frames of any size", " or size > limits.MAX_BUNDLE_CHUNK", ""),
    ("frames whose check is wrong", "if check != self._buffer[end : end + _CHECK]:", "if False:"),
    ("HEADER anywhere", " and begin == len(MAGIC)", ""),
    ("END with any hash", "self._faults or payload == before", "True"),
    ("anything behind END", "if self._fill(1):", "if False:"),
    ("newer versions", "if payload[:1] > bytes([VERSION]):", "if False:"),
    ("HEADER of version 0", " or payload[0] != VERSION or", " or"),
    ("HEADER with any name", "if not is_valid_network(", "if False and is_valid_network("),
    (
        "damage ends the reading",
        "                return not self._has_enough()",
        "                return False",
    ),
    (
        "a bundle without END is whole",
        "                if not self._is_lost:\n",
        "                if not self._is_lost and not self._is_at_end:\n",
    ),
    (
        "frames that are not full",
        "> limits.MAX_BUNDLE_CHUNK:\n            yield",
        "> 500:\n            yield",
    ),
)

PARTS = _of(
    "sync.wire.fields",
    ("flags of 2", "if value > 1:", "if value > 2:"),
    ("hour 2^31 in a frame", "if hour >= limits.MAX_HOUR:", "if hour > limits.MAX_HOUR:"),
    ("no hour 2^31 - 1 in a frame", "if hour >= limits.MAX_HOUR:", "if hour >= limits.MAX_HOUR - 1:"),
    ("IDs of 33 bytes in a bound", "size > ID_SIZE or step", "size > ID_SIZE + 1 or step"),
    ("no IDs of 32 bytes in a bound", "size > ID_SIZE or step", "size >= ID_SIZE or step"),
    ("hour 2^31 in a bound", "step > limits.MAX_HOUR or", "step > limits.MAX_HOUR + 1 or"),
    ("infinity with an ID", " or (step == 0 and size)", ""),
    (
        "bounds that count hours from 0",
        "0 if bound == HIGHEST else bound[0] + 1",
        "0 if bound == HIGHEST else bound[0]",
    ),
)

PAYLOADS = _of(
    "sync.wire.payloads",
    ("nonces of 15 bytes", "NONCE_SIZE = 16", "NONCE_SIZE = 15"),
    ("tags of 7 bytes", "TAG_SIZE = 8", "TAG_SIZE = 7"),
    ("boards of no posts", "if not board.count:", "if False:"),
    ("BOARDS without boards", "if not boards and not last:", "if False:"),
    ("WANT of nothing", "if not ids:", "if False:"),
    ("posts for any reason", "if how > PostsReason.PUSHED:", "if how > PostsReason.PUSHED + 1:"),
    ("posts of no bytes", "if not 0 < size <= limits.MAX_POST:", "if size > limits.MAX_POST:"),
    (
        "posts of 16,001 bytes",
        "if not 0 < size <= limits.MAX_POST:",
        "if not 0 < size <= limits.MAX_POST + 1:",
    ),
    (
        "POSTS without posts",
        "if not posts and how not in (PostsReason.PULLED_PART, PostsReason.PULLED_ALL):",
        "if False:",
    ),
    (
        "no empty end of a PULL",
        "how not in (PostsReason.PULLED_PART, PostsReason.PULLED_ALL)",
        "how != PostsReason.PULLED_PART",
    ),
    ("GONE of nothing", "if not gone.count:", "if False:"),
    ("credit of any class", "credit > Credit.POSTS or", "credit > Credit.POSTS + 1 or"),
    ("credit for nothing", "not 0 < size <= limits.SYNC_POSTS_WINDOW", "size > limits.SYNC_POSTS_WINDOW"),
    ("credit for too much", "<= limits.SYNC_POSTS_WINDOW", "<= limits.SYNC_POSTS_WINDOW + 1"),
    ("unknown ends are faults", "if code <= Code.SPENT else Code.FAILED", ""),
)

FRAMES = _of(
    "sync.wire.frames",
    ("bytes left over", "if fields.more():", "if False:"),
    ("the length counts the payload only", "encode_varint(len(payload) + 1)", "encode_varint(len(payload))"),
    (
        "POSTS no larger than others",
        "limits.MAX_POSTS_FRAME if is_posts else",
        "limits.MAX_FRAME if is_posts else",
    ),
    (
        "others as large as POSTS",
        "if is_posts else limits.MAX_FRAME)",
        "if is_posts else limits.MAX_POSTS_FRAME)",
    ),
)

WIRE = _of(
    "sync.wire.negentropy",
    ("least significant digit first", "    digits.reverse()\n", ""),
)

LOOKS = _of(
    "sync.look",
    ("three hours in the newest stretch", "_NEWEST = 2", "_NEWEST = 3"),
    ("stretches that grow by 2", "_GROWTH = 4", "_GROWTH = 2"),
    ("the earlier horizon", "max(ours.horizon, theirs.horizon)", "min(ours.horizon, theirs.horizon)"),
    ("the later hour", "min(ours.hour, theirs.hour)", "max(ours.hour, theirs.hour)"),
    ("no next hour", "+ limits.FUTURE_HOURS + 1)", "+ 1)"),
)

FINGERPRINTS = _of(
    "sync.fingerprint",
    ("fingerprints without a person", '_PERSON = b"p2pforum/sync/fp"', '_PERSON = b""'),
    ("fingerprints without nonces", "key=nonces, ", ""),
)

STEM = _of(
    "stem.wire",
    ("cells of another size", "4 * limits.KIB + 512", "4 * limits.KIB"),
    ("classes of 32 types", "kind >> 6", "kind >> 5"),
    ("another answer", r'ANSWER = b"\x00"', r'ANSWER = b"\x01"'),
    ("posts of type 0", "COVER, POST = 0, 1", "COVER, POST = 1, 0"),
    ("lengths that begin with the low byte", 'len(raw).to_bytes(2, "big")', 'len(raw).to_bytes(2, "little")'),
    ("posts of no bytes", "if not _HEAD < end <=", "if not _HEAD <= end <="),
    ("posts of 16,001 bytes", "<= _HEAD + limits.MAX_POST or", "<= _HEAD + limits.MAX_POST + 1 or"),
    ("any filling", r' or frame[end:].strip(b"\x00"):', ":"),
)

ADDRESSES = _of(
    "core.address",
    ("port 0", "if address.port == 0:", "if False:"),
    ("port 65,536", "int(port) >= 2**16", "int(port) > 2**16"),
    ("no port 65,535", "int(port) >= 2**16", "int(port) >= 2**16 - 1"),
    ("zeros before a port", 'r"0|[1-9][0-9]{0,4}"', 'r"[0-9]{1,5}"'),
    ("any spelling", "if str(address) != text:", "if False:"),
    ("names that end with a number", '_TOP = r"[a-z]', '_TOP = r"[a-z0-9]'),
    ("names in capitals are others", "name = host.lower()", "name = host"),
    ("IPv4 inside IPv6", "return None if ip in _MAPPED else _ip6_text(ip)", "return _ip6_text(ip)"),
    ("addresses that hide IPv4", 'if address.kind == "ip6" and hides', "if False and hides"),
    ("one zero shortened", "if length < 2:", "if length < 1:"),
    (
        "the last of the longest runs",
        "runs = [(_run(groups, start), -start)",
        "runs = [(_run(groups, start), start - 8)",
    ),
    (
        "peers without a peer ID",
        "if address.peer is None:\n        raise _no_peer(text)\n    return",
        "if False:\n        raise\n    return",
    ),
    ("peer IDs of any kind", "    _check_peer(text, parts[6])\n", ""),
    ("onion names of any checksum", 'version == b"\\3" and checksum', 'version == b"\\3" or checksum'),
)

MUTANTS = [
    *LIMITS,
    *NETWORK,
    *POST,
    *KINDS,
    *BOARDS,
    *TEXT,
    *ENVELOPE,
    *CBOR,
    *STAMP,
    *SIGNATURE,
    *ID,
    *NAMES,
    *ORDER,
    *SYNC,
    *PEER_ID,
    *RPC,
    *FIELDS,
    *RECORDS,
    *EXCHANGE,
    *INVITES,
    *BUNDLES,
    *PARTS,
    *PAYLOADS,
    *FRAMES,
    *WIRE,
    *LOOKS,
    *FINGERPRINTS,
    *STEM,
    *ADDRESSES,
]
