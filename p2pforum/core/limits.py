"""Every bound, in one place, each with its reason.

Bounds that all nodes must share (or the network splits) are in network_params.py or marked *rule*;
the others are one node's own and may differ between nodes.
"""

KIB = 1024

# --- rule: the size and shape of a post ------------------------------------------------------
MAX_POST = 16_000  # bytes; leaves room for any envelope below 16 KiB
MAX_BODY = 12 * KIB  # bytes of UTF-8; about four printed pages
MAX_SUBJECT = 200  # bytes of UTF-8
MAX_BOARD_NAME = 64  # bytes
MAX_NETWORK_NAME = 32  # bytes; it stands in every protocol ID and before all that is signed
MAX_PARENTS = 4  # enough to join forks of a thread; bounds the work of ordering it
MAX_HOUR = 2**31  # the JS reference of Negentropy never ends above it (research: sync §1)
MAX_NESTING = 4  # of arrays inside content that this version does not know
MAX_STAMP_BITS = 64  # more can't be minted by anyone; bounds the arithmetic

# --- rule: time --------------------------------------------------------------------------------
GOSSIP_PAST_HOURS = 720  # a post older than 30 days comes by sync, not by gossip
FUTURE_HOURS = 1  # clocks of honest peers differ by minutes; two sides of an hour edge

# --- own: retention ------------------------------------------------------------------------------
RETENTION_HOURS = 180 * 24
STANDSTILL_HOURS = 30 * 24  # without a newer post: nothing expires, as the clock may be wrong
QUOTA = 512 * KIB * KIB  # bytes of disk for all posts: half a million with search
LEAST_QUOTA = 16 * KIB * KIB  # bytes; below, one batch of the largest posts is a tenth and more

# --- own: ingest ----------------------------------------------------------------------------------
VERIFY_THREADS = 4  # threads that check signatures; more gain nothing, as Python itself runs in one

# --- own: gossip ---------------------------------------------------------------------------------
MAX_RPC = 256 * KIB  # bytes of one gossip RPC: 16 posts of the largest size, which others send in one
GOSSIP_RPC = 64 * KIB  # bytes that we put into one: rust-libp2p reads no more
MAX_RPC_MESSAGES = 256  # posts in one RPC
MAX_RPC_IDS = 5_000  # message IDs in all IHAVE (or all IWANT) of one RPC
MAX_RPC_FIELDS = 6_000  # protobuf fields in one RPC, at all depths: MAX_RPC_IDS and the rest; 6 ms to read
MAX_SUBSCRIPTIONS = 16  # in one RPC; we know one topic, peers may be in other networks too
MAX_TOPIC_NAME = 128  # bytes
OUTBOX_BYTES = 256 * KIB  # bytes of posts, and of control RPCs, that wait for one peer; more are dropped
OUTBOX_ASKED = 4_096  # IDs that one peer asked for and that wait: all that is kept to be served
OUTBOX_CONTROL = 256  # control RPCs that wait for one peer; a heartbeat makes one or two
GOSSIP_READ = 64 * KIB  # bytes taken off a stream at once
GOSSIP_WAITING = 64 * KIB  # bytes of one peer's posts that wait for validation; then we stop reading from it
GOSSIP_MESSAGE_MEMORY = 768  # bytes that a post which waits takes beside its own: small ones count, too
GOSSIP_BATCH = 128  # posts judged at once: one transaction, and a few ms in which posts of other peers wait
GOSSIP_SEND_SECONDS = 30  # a peer that takes nothing for so long is dropped

# --- own: outbound posts ----------------------------------------------------------------------------------
HOLD_MINUTES = 30  # at most, drawn: a post that waited for a peer leaves some time after its node came online
MOST_HOLD_MINUTES = 24 * 60  # that a person may ask for
OPEN_HOLD_SECONDS = 10.0  # at most, drawn: the same of a node that hides no origins
BACKLOG_SECONDS = 20.0  # on average between two own posts that waited for a peer, as if strangers wrote them

# --- own: stem (its other numbers are in stem/params.py) -------------------------------------------
STEM_READ_SECONDS = 30  # for a peer to send its frame
STEM_SEND_SECONDS = 10  # for a peer to take and answer one; then another peer is tried
STEM_JUDGED = 20  # stem posts of one peer that wait for validation: it may send so many at once
STEM_DROP_SECONDS = 1.0  # until a peer that sent an invalid one is cut: its answer must arrive as any other
STEM_LOOK_SECONDS = 5.0  # between two looks at which posts have become public

# --- own: sync -----------------------------------------------------------------------------------
MAX_FRAME = 32 * KIB  # bytes of one sync frame: bounds the work that one message can ask for
MAX_POSTS_FRAME = 256 * KIB  # bytes of a POSTS frame; more unacknowledged stalls a slow link
MAX_WANTS = 65_536  # IDs wanted in one session: 2 MiB; the next session goes on
SYNC_POSTS_FRAME = 64 * KIB  # bytes that we put into a POSTS frame; other frames pass between two
SYNC_NEG_WINDOW = 128 * KIB  # rule: NEG bytes that a side may send before it gets credit
SYNC_POSTS_WINDOW = KIB * KIB  # rule: the same for POSTS; about 3,000 posts, 0.3 s of checking
SYNC_WANT_WINDOW = 4_096  # rule: IDs wanted and not yet answered; 128 KiB kept by the side that answers
SYNC_PULL_WINDOW = 16  # rule: PULLs not yet answered; with 8, a far peer's 200 boards took 2 s longer
MAX_SYNC_BOARDS = 16_384  # rule: boards told in one session: 0.5 MB; with more, each session tells others
SYNC_PULL_FROM = 256  # posts that a peer has more of a board: then newest and oldest ones without lists
SYNC_FIRST_PULL = 32  # newest posts of each board that is new here, before the rest of any of them
SYNC_BATCH = 512  # posts handed to the door at once: 0.1 s
SYNC_AT_DOOR = 2  # such batches of all peers that we dialled: two of one session gained nothing; strangers: 1
SYNC_READ = 16 * KIB  # bytes of a stream taken in at once: in the smallest frames 14 ms of work
SYNC_SLICE_SECONDS = 0.004  # of work before others run: the loop must not stall for 0.02
SYNC_POLITE_SECONDS = 0.5  # of work in one session, then it leaves every other slice to other sessions
SYNC_STALL_SECONDS = 60  # in which a session must move SYNC_STALL_BYTES, or the peer is gone or a slow-loris
SYNC_STALL_BYTES = 16 * KIB  # both ways together; the slowest link worth waiting for does 300 B/s
SYNC_RETRY_SECONDS = 1  # until we look again whether another session brought the posts it was asked for
SYNC_END_SECONDS = 2  # to tell a peer why a session ends
MAX_SYNC_REMEMBERED = 1_024  # peers whose costs we remember
SYNC_SECONDS = 1_800  # of one session: an open snapshot keeps the database from shrinking its log
SYNC_CLAIM_SECONDS = 30  # for a peer to send the posts it was asked for, then another is asked
SYNC_NEG_BYTES = 64 * KIB * KIB  # of one session, each way: a million IDs listed twice
SYNC_POSTS_BYTES = 2_048 * KIB * KIB  # of one session, each way: four quotas
SYNC_RANGES = 4_000_000  # ranges of the peer that we compare in one session
SYNC_ROUNDS = 32  # splits by 8 of 2^31 posts take 11
SYNC_DUPLICATES = 50_000  # posts sent to us in one session that we had: several peers may push the same
SYNC_REFUSED = 2_048  # posts that came and are not kept here: the quota filled up since the session began
SYNC_CPU_SECONDS = 60  # of one session; a million IDs with 10,000 differences takes 2
SYNC_PEER_CPU = 0.1  # seconds a second that one peer may cost us by sessions it opens, over time
MAX_SYNC_INBOUND = 16  # sessions that peers opened; more wait for a place
MAX_SYNC_OUTBOUND = 3  # sessions that we opened: they fetch the same things anyway
SYNC_EVERY_SECONDS = 300  # on average between two sessions with a peer drawn by lot

# --- rule: peer records ------------------------------------------------------------------------------
MAX_PEER_RECORD = 1_000  # bytes, signature included: with its size it fits an ask of 1 KiB
MAX_PEER_ADDRESSES = 8  # of one node; more are one owner's way to be dialled more often
MAX_PEER_ADDRESS = 256  # characters; the longest host name there is has 253
MAX_PEER_SEQUENCE = 2**32  # raised by hand, by changing the config file

# --- own: peer exchange ------------------------------------------------------------------------------
PEERS_TOLD = 32  # records in one answer, and taken from one: 4 ms to verify
PEERS_TOLD_PART = 4  # a quarter of what is known: scraping all of it takes many days
PEERS_TOLD_LEAST = 8  # of few records, so many all the same: a young network must find itself
PEERS_BURST = 4  # asks of one peer that are answered at once: it may have restarted
PEERS_INBOUND_RECORDS = 64  # records of peers that dialled in, kept to be told; one to a network group
PEERS_INBOUND_RECORDS_SECONDS = 86_400.0  # for which they are told; peers still there ask every hour
PEERS_REFILL_SECONDS = 600.0  # until one more is; nodes ask every half hour at the most
PEERS_REFUSED = 16  # asks beyond that, then the peer is cut
PEERS_REMEMBERED = 1_024  # peers whose asks we count
PEERS_SECONDS = 30.0  # for one ask and its answer, 17 KiB, over Tor too

# --- own: the local network --------------------------------------------------------------------------
LAN_NAMES = 8  # that one machine may tell in LAN_NAMES_SECONDS: each may cost a second of a thread
LAN_MACHINES = 256  # that tell names in that time: with all their names 34 minutes of the thread
LAN_NAMES_SECONDS = 3_600.0
LAN_ANSWER_MS = 1_000  # milliseconds for a node in the local network to say where it is
LAN_LOOK_SECONDS = 60.0  # between two looks at the networks that this machine is in

# --- own: connections ------------------------------------------------------------------------------
MAX_CONNECTIONS = 200  # about 0.12 MB each, and what CONNECTION_MEMORY counts
CONNECTION_MEMORY = 100 * KIB * KIB  # bytes that all peers together may make us keep, then the largest is cut
MEMORY_MOST = 400 * KIB * KIB  # bytes of a node whose peers all want its memory at once: docs/ARCHITECTURE.md
STREAM_MEMORY = 16 * KIB  # bytes that a stream counts for: its task, and a frame of the stem half read
OUTBOUND_RESERVE = 16  # of MAX_CONNECTIONS: strangers who dial in can't keep us from dialling out
BAN_SECONDS = 3_600.0  # for a peer that broke a protocol, whichever: then a mended program may try again
BANS_REMEMBERED = 4_096  # the newest; a new peer ID costs a handshake, so more would only be larger
MAX_PENDING_INBOUND = 128  # TCP connections that have not yet said who they are; the oldest is cut
MAX_PENDING_PER_ADDRESS = 8  # of one public address (IPv6: /64); then its own oldest is cut
MAX_INBOUND_PER_ADDRESS = 8  # peers of one public address: several persons behind a router, or a Tor exit
EVICTION_SECONDS = 1.0  # between two: if more want in than fit, they must not push each other out all day
EVICTION_GROUPS = 8  # groups of which one peer each keeps its place: chosen by a secret
EVICTION_WORTHY = 8  # peers that keep their place because they bring new posts; half of the rest for its age
MAX_STREAMS_PER_PEER = 32
FRAMES_PER_SECOND = 100  # frames of a peer that need carry nothing: 200 such peers are a fifth of a core
FRAMES_BURST = 1_024  # of them at once: 10 ms of work, about as much as the handshake
FRAME_BYTES = 256  # bytes, to or from the peer, that pay for one frame more
MAX_REFUSED_STREAMS = 1_000  # on one connection, then it is cut: nodes like this one ask for no 33rd
STREAM_WINDOW = 256 * KIB  # bytes unread in one stream: where Yamux starts
MAX_STREAM_WINDOW = KIB * KIB  # where a stream gets that is read: 2 MB/s over Tor's half second
EXTRA_WINDOWS = 2 * KIB * KIB  # bytes by which all windows of one connection together may have grown
STREAM_BUFFER = 8 * KIB * KIB  # bytes a peer may push into streams that nobody reads, then it is cut
SEND_QUEUE = 128 * KIB  # bytes of frames queued to a peer; then senders wait
MAX_PROTOCOL_NAME = 256  # bytes, in multistream
MAX_PROTOCOL_TRIES = 8  # names one peer may ask for on one stream
UPGRADE_SECONDS = 60  # from TCP to a secured connection: four round trips, and Tor may stall in one
NEGOTIATE_SECONDS = 30  # until a peer has named the protocol of a stream it opened
PROXY_GREETING_SECONDS = 10  # for the proxy to greet us: it runs on this machine, and asks no other machine
PROXY_DIAL_SECONDS = 120  # for a peer behind it, at least: so long Tor itself tries
PING_SECONDS = 20  # between two pings, and without a sign of life after one: a half-open connection
SEND_STALL_SECONDS = 60  # for a peer to take 64 KiB off the socket, or it is cut
READ_STALL_SECONDS = 30  # for a peer to read from a stream, or the stream is lost
LINGER_SECONDS = 5  # for a peer to close its side after we did
GRACE_SECONDS = 1  # to send the frames that are queued when a connection is closed

# --- own: being reached ------------------------------------------------------------------------------
ROUTER_SECONDS = 3  # for a router to answer; those that speak UPnP take less than one
MAPPING_SECONDS = 3_600  # for which a router forwards a port; asked for again after a third of it
FIRST_PORT = 20_000  # of those that a node picks from for itself: above those that services use
PORTS = 40_000  # of them: below 60,999, where systems draw the ports of connections they make

# --- own: addresses of peers -----------------------------------------------------------------------
MAX_BOOK_ADDRESS = 200  # characters; an onion name of 56 and a peer ID of 64 fit
MAX_BOOK_RECORD = KIB  # bytes of a signed record kept beside an address
BOOK_NEW_BUCKETS = 256  # of addresses heard of; with BOOK_BUCKET: 4,096, a quarter of Bitcoin's network table
BOOK_TRIED_BUCKETS = 64  # of addresses where the right peer answered us: 1,024
BOOK_BUCKET = 16  # addresses
BOOK_SOURCE_BUCKETS = 16  # of the new ones that one group of tellers can reach: a sixteenth of the table
BOOK_GROUP_BUCKETS = 2  # of the tried ones that one group of addresses can reach: a thirty-second
BOOK_HORIZON_DAYS = 30  # an address that was not named and not reached for so long is forgotten
BOOK_NEW_FAILURES = 3  # in a row, of an address that never answered: forgotten
BOOK_FAILURES = 10  # in a row, of one that did,
BOOK_FAIL_DAYS = 7  # if it has been silent for so long: a holiday must not cost a good peer
BOOK_TOLD_DAYS = 14  # since a peer answered here: its record is told to others for so long
BOOK_TESTS = 10  # peers that wait until the one in their place is found dead
OUTBOUND_WANTED = 8  # connections that we chose, named peers among them: Bitcoin's number
NAMED_COUNTED = 4  # of these at most: else the node would dial only the eight nodes of one invite
LOCAL_MOST = 3  # of these in the local network, where one machine can be a hundred; 3 keep a LAN in one piece
ANCHORS = 2  # of these are dialled first after a restart
ANCHOR_SECONDS = 600  # that a connection lasts before it can be one: an attacker who crashes nodes must wait
FEELER_SECONDS = 120  # on average between two addresses tried only to see whether a peer is there
MAX_WAITS = 8_192  # addresses that are left alone for a while after a failure: more than a book has
LASTING_SECONDS = 60  # a connection that ends sooner is a failure: the peer is full, or does not want us

# --- own: the local API ----------------------------------------------------------------------------
MAX_API_CONNECTIONS = 64  # front ends of one person
MAX_API_HEAD = 16 * KIB  # bytes of a request's head
MAX_API_BODY = 4 * KIB  # bytes of a request that is not a post
MAX_LISTEN_SECONDS = 30  # a front end waits to hear how many peers offer its post back; half of its patience
SUBMIT_SECONDS = 1  # for a post to leave before its front end is answered: longer only behind many others
API_BODY_SECONDS = 10  # for the whole body of a request
API_TAKE_SECONDS = 10  # for a front end to take an answer, or the next part of a stream
API_IDLE_SECONDS = 2  # between two requests on one connection; a closed one counts as open until then
API_ALIVE_SECONDS = 5  # between two lines of a stream, at most: the reader sees that we live
API_PROGRESS_STEPS = 16  # steps kept for a front end that reads slowly; more are dropped
API_NEW_IDS = 256  # of new posts, kept for a front end that reads slowly; more become "look again"
API_GRACE_SECONDS = 2  # for requests under way when the node ends: less than the 5 s it has in all

# --- rule: bundles ---------------------------------------------------------------------------------
MAX_BUNDLE_CHUNK = 128 * KIB  # bytes of posts in one frame; they are checked and kept at once
MAX_BUNDLE_FAULTS = 1_000  # own: marks tried behind damage; each may cost the hash of a whole frame
MAX_BUNDLE_SKIPPED = (
    64 * KIB * KIB
)  # own: bytes passed over in search of marks: 0.5 s; a sparse file has no end

# --- rule: invites ---------------------------------------------------------------------------------
MAX_INVITED = 64  # peers, boards or lists in one invite: enough to choose from, and still a text to paste
MAX_INVITED_ADDRESS = 256  # bytes of an address as text; any but the longest host names fits
MAX_INVITE = 64 * KIB  # characters; more can only be another file

# --- own: store ----------------------------------------------------------------------------------
BLOCK_KEYS = 256  # posts in one block of the sync index after a split: 0.14 ms to load
BLOCK_MOST = 512  # posts in a block before it is split
KEYS_LOADED = 1_048_576  # posts whose keys are kept in memory for sync: at most 42 MB
BOARDS_LOADED = MAX_SYNC_BOARDS  # boards whose index is in memory: fewer, and a session loads each anew
STORE_CACHE = 16 * KIB * KIB  # bytes of pages cached by the writer; 64 MiB gained nothing at 1M posts
STORE_READ_CACHE = 4 * KIB * KIB  # bytes of pages cached by each reader
STORE_LOG_PART = 16  # the log may be 1/16 of the database, then it is copied in
STORE_LOG_LEAST = 16 * KIB * KIB  # bytes of it, in a small database; with 4 MiB half its time was fsync
STORE_LOG_MOST = 64 * KIB * KIB  # bytes of it; 16 MiB cost a fifth of the rate at a million posts
STORE_CHECKED = 64 * KIB * KIB  # a database up to this size is checked whole after an unclean stop: 0.1 s
STORE_ROOM = STORE_LOG_MOST + 2 * KIB * KIB  # bytes free on the disk, or its owner is warned: the longest log
ROOM_TRIED = GOSSIP_BATCH * MAX_POST  # bytes written to see whether they can be: a batch of the largest posts
STORE_STEP = 500  # posts removed in one transaction: others wait for it, some 50 ms
MAX_SEARCH_TERMS = 32  # words in one search; more can only be a mistake
SEARCH_COUNTED = 1_000  # posts found: more are "more than"; a common word may be in half of all
SEARCH_WORDS_COMPARED = 4_000  # of those that begin like a word: 10 ms to look for the same stem
MAX_SEARCH_RELATIVES = 32  # words of the same stem: an attacker can make up many

# --- own: keystore -------------------------------------------------------------------------------
KEYSTORE_SMALLEST = 64 * KIB  # bytes; about 400 keys look like none. Sizes above are powers of two
KEYSTORE_LARGEST = 64 * KIB * KIB  # bytes read into memory; half a million keys
KDF_MEMORY = 256 * KIB * KIB  # bytes of Argon2id: 0.4 to 1 s of 2026, and expensive for a thief with a GPU
KDF_PASSES = 3
KDF_LEAST_MEMORY = 64 * KIB * KIB  # a file that asks for less was not made by this program
KDF_MOST_MEMORY = 2 * KIB * KIB * KIB  # a forged header must not use up the machine
KDF_MOST_PASSES = 16
MAX_PASSPHRASE = 4 * KIB  # bytes; a mistaken file (an image, a log) is not a passphrase
KEY_IDLE_HOURS = 30 * 24  # a thread's key that signed nothing for so long is burnt, unless kept
KEY_WARNING_HOURS = 3 * 24  # but the user is told before, so long ago at least
AGENT_IDLE_MINUTES = 15  # without use, then the agent locks; `unlock --for` sets it
AGENT_MOST_SECONDS = 12 * 3600  # then it locks however much it is used: a working day
SENT_HOURS = RETENTION_HOURS  # for which the keystore remembers how my posts left: then they expire anyway
LEAK_HOURS = 30 * 24  # posts of so many hours show at which hours people write here
LEAK_NEWEST = 5_000  # of them at most: 10 ms to read
LEAK_THREADS = 50  # of mine that a new text is compared with, those of the keys used last
LEAK_POSTS = 5_000  # in those threads: 0.15 s to read
LEAK_WORDS = 100  # looked up to see whether they are unusual: each 0.1 ms
MAX_LOCAL_NAME = 64  # characters of a pseudonym's or a petname: it stands before each post
