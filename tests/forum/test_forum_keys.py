"""My keys and names: found, chosen, carried, warned of and expired."""

from dataclasses import replace

import pytest
from forum_world import Person, Shelf, a_person
from keystore_samples import some_key
from strategies import HOUR, TEST_NETWORK, a_key, a_post

from p2pforum.core import limits
from p2pforum.core.errors import Ambiguous, NotFound, Refused
from p2pforum.core.network_params import params_for
from p2pforum.core.post_id import format_id, short_id
from p2pforum.core.pseudonym import name_of
from p2pforum.forum import keys, names
from p2pforum.forum.expiry import Review, review_idle
from p2pforum.forum.linking import LinkedKeys, check_proof, make_proof
from p2pforum.forum.reading import thread_view
from p2pforum.keystore.contents import Contents

ROOT = bytes(range(32))
DAY = 24


@pytest.fixture
def box() -> Contents:
    thread, heron = some_key(1, root=ROOT), some_key(2, name="heron")
    found = Contents(keys={key.public: key for key in (thread, heron)})
    found.speaking = {ROOT: thread.public, bytes(32): heron.public}
    return found


def test_listed_with_what_others_see(box: Contents) -> None:
    heron = box.pseudonym("heron")
    assert heron is not None
    heron.used, heron.keep = HOUR + 5, True
    views = keys.list_keys(box)
    assert [(v.name, v.threads, v.expires) for v in views] == [
        ("heron", (bytes(32),), 0),
        ("", (ROOT,), 498_000 + limits.KEY_IDLE_HOURS),
    ]
    assert views[1].shown == name_of(views[1].public, ROOT)


def test_found_by_name_key_or_thread(box: Contents) -> None:
    thread = box.keys[box.speaking[ROOT]]
    for typed in (format_id(thread.public), short_id(thread.public), short_id(ROOT)):
        assert keys.find_key(box, typed) is thread
    assert keys.find_key(box, " heron ").name == "heron"
    for typed in ("tern", "zzzzzzzzzz", "", "!"):
        with pytest.raises(NotFound):
            keys.find_key(box, typed)
    for n in range(3, 200):
        other = some_key(n)
        box.keys[other.public] = other
    with pytest.raises(Ambiguous) as caught:
        keys.find_key(box, format_id(thread.public)[0])
    assert len(caught.value.candidates) > 1


def test_a_new_pseudonym(box: Contents) -> None:
    key = keys.new_pseudonym(box, " sand  martin ", HOUR)
    assert (key.name, key.root, key.keep, key.posts) == ("sand martin", b"", True, 0)
    assert key.seed != keys.new_pseudonym(box, "swift", HOUR).seed
    with pytest.raises(Refused, match="already"):
        keys.new_pseudonym(box, "Heron", HOUR)


@pytest.mark.parametrize(
    "name", ["", " \n", "once", "Thread", "x" * 65, "lusab-babad-gutih", "Lusab-Babad", "\x1b\u202e"]
)
def test_names_that_mean_something_else(box: Contents, name: str) -> None:
    with pytest.raises(Refused):
        keys.new_pseudonym(box, name, HOUR)


@pytest.mark.parametrize("name", ["robin", "lusab", "O'Brien", "鷺", "a:b", "anna-maria"])
def test_ordinary_names(box: Contents, name: str) -> None:
    assert keys.new_pseudonym(box, name, HOUR).name == name


def test_choosing_who_speaks_in_a_thread(box: Contents) -> None:
    heron, thread = keys.find_key(box, "heron"), box.keys[box.speaking[ROOT]]
    keys.use(box, heron, ROOT)
    assert box.key_for_thread(ROOT) is heron
    keys.use(box, thread, ROOT)
    with pytest.raises(Refused, match="would show that one person wrote in both"):
        keys.use(box, thread, bytes(32))


@pytest.mark.parametrize("which", ["heron", "thread"])
def test_export_and_import(box: Contents, which: str) -> None:
    key = keys.find_key(box, "heron") if which == "heron" else box.keys[box.speaking[ROOT]]
    text = keys.export_key(key)
    other = Contents()
    got = keys.import_key(other, f" {text}\n", HOUR)
    assert (got.public, got.seed, got.root, got.name) == (key.public, key.seed, key.root, key.name)
    assert keys.import_key(other, text, HOUR) is got, "twice changes nothing"
    assert other.key_for_thread(ROOT) is (got if which == "thread" else None)


@pytest.mark.parametrize("change", [slice(0, 5), slice(20, 21), slice(-1, None)])
def test_a_damaged_export_is_refused(box: Contents, change: slice) -> None:
    text = list(keys.export_key(keys.find_key(box, "heron")))
    text[change] = "0" if text[change] != ["0"] else "1"
    with pytest.raises(Refused):
        keys.import_key(Contents(), "".join(text), HOUR)
    for nonsense in ("", ":::::", "p2pforum-key-1:::"):
        with pytest.raises(Refused):
            keys.import_key(Contents(), nonsense, HOUR)


def test_an_imported_name_that_is_taken(box: Contents) -> None:
    text = keys.export_key(keys.find_key(box, "heron"))
    other = Contents()
    keys.new_pseudonym(other, "heron", HOUR)
    with pytest.raises(Refused, match="already"):
        keys.import_key(other, text, HOUR)


def test_idle_keys_are_warned_of_before_they_burn(box: Contents) -> None:
    thread = box.keys[box.speaking[ROOT]]
    box.mark_read(ROOT, [ROOT])
    shelf, start = Shelf(), thread.used
    keys.set_keep(keys.find_key(box, "heron"), True)
    assert review_idle(box, start + 26 * DAY, shelf).warned == ()
    (warned,) = review_idle(box, start + 27 * DAY, shelf).warned
    assert (warned.public, warned.expires) == (thread.public, start + 30 * DAY)
    assert review_idle(box, start + 29 * DAY, shelf) == Review((), ())
    (burnt,) = review_idle(box, start + 30 * DAY, shelf).burnt
    assert burnt.public == thread.public
    assert [key.name for key in box.keys.values()] == ["heron"]
    assert (box.speaking.keys(), box.read) == ({bytes(32)}, {})


def test_who_was_away_is_warned_first(box: Contents) -> None:
    late = 498_000 + 90 * DAY
    review = review_idle(box, late, Shelf())
    assert (len(review.warned), len(review.burnt)) == (2, 0)
    assert review_idle(box, late + 3 * DAY - 1, Shelf()).burnt == ()
    assert len(review_idle(box, late + 3 * DAY, Shelf()).burnt) == 2


def test_a_post_or_keeping_calls_the_warning_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    person = a_person(tmp_path_factory.mktemp("keys"))
    post = person.publisher.new_thread("b", "s", "t").post
    later(person, 28)
    assert len(review(person).warned) == 1
    person.publisher.reply(post.id, "still here")
    later(person, 4)
    assert review(person) == Review((), ())
    assert person.keystore.read().key_for_thread(post.id) is not None
    with person.keystore.transaction() as box:
        keys.set_keep(box.keys[post.author], True)
    later(person, 400)
    assert review(person) == Review((), ())


def later(person: Person, days: int) -> None:
    person.hour += days * DAY


def review(person: Person) -> Review:
    with person.keystore.transaction() as box:
        return review_idle(box, person.hour, person.shelf)


def test_petnames_are_for_whole_keys_and_one_each(box: Contents) -> None:
    names.set_petname(box, ROOT, a_key(1), " tern ")
    names.set_petname(box, ROOT, a_key(1), "tern")
    assert box.petname(ROOT, a_key(1)) == "tern"
    for root in (ROOT, b""):
        with pytest.raises(Refused, match="another pseudonym"):
            names.set_petname(box, root, a_key(2), "Tern")
    names.set_petname(box, bytes(32), a_key(2), "tern")
    assert names.drop_petname(box, ROOT, a_key(1))
    assert not names.drop_petname(box, ROOT, a_key(1))


def test_names_that_look_alike_are_pointed_out() -> None:
    """Keys are not ground here (it takes 2^31 of them): the name is put in the view."""
    root = a_post()
    other = a_post("t", key=2, root=root.id)
    shelf = Shelf()
    shelf.put(root, other, a_post("u", key=3, root=root.id))
    view = thread_view(shelf, root.id)
    assert names.lookalikes(view) == []
    first = view.posts[0].name.split("-")
    posed = replace(view.posts[1], name="-".join([*first[:2], "babab"]))
    pairs = names.lookalikes(replace(view, posts=(view.posts[0], posed, view.posts[2])))
    assert pairs == [(view.posts[0], posed)]


def test_a_linking_proof_takes_both_keys(box: Contents) -> None:
    one, other = box.keys.values()
    proof = make_proof(one, other, TEST_NETWORK)
    assert proof == make_proof(other, one, TEST_NETWORK)
    assert check_proof(f"  {proof}\n", TEST_NETWORK) == LinkedKeys(*sorted((one.public, other.public)))
    with pytest.raises(Refused, match="one key"):
        make_proof(one, one, TEST_NETWORK)
    with pytest.raises(Refused, match="did not sign"):
        check_proof(proof, params_for("another-net"))


def test_a_one_sided_claim_is_refused(box: Contents) -> None:
    """One who claims another's key has only their own seed."""
    mine, theirs = box.keys.values()
    claimed = replace(theirs, seed=mine.seed)
    with pytest.raises(Refused, match="one of the keys did not sign"):
        check_proof(make_proof(mine, claimed, TEST_NETWORK), TEST_NETWORK)


@pytest.mark.parametrize("place", range(0, 256, 17))
def test_a_changed_proof_is_refused(box: Contents, place: int) -> None:
    head, body = make_proof(*box.keys.values(), TEST_NETWORK).split(":")
    swapped = "A" if body[place] != "A" else "B"
    with pytest.raises(Refused):
        check_proof(f"{head}:{body[:place]}{swapped}{body[place + 1 :]}", TEST_NETWORK)


@pytest.mark.parametrize("text", ["", ":", "p2pforum-link-1:", "p2pforum-link-1:AAAA", "p2pforum-link-2:AA"])
def test_what_is_no_proof(text: str) -> None:
    with pytest.raises(Refused, match="not a linking proof"):
        check_proof(text, TEST_NETWORK)


def test_a_proof_has_one_spelling(box: Contents) -> None:
    proof = make_proof(*box.keys.values(), TEST_NETWORK)
    for other in (proof + "=", proof.replace("-", "+").replace("_", "/"), proof + "\nA"):
        if other != proof:
            with pytest.raises(Refused):
                check_proof(other, TEST_NETWORK)
