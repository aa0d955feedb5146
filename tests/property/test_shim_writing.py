"""Laws of how the shim writes links: as `json` would, whichever way it takes."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from navicert.compat.shim.in_toto.models.link import Link
from navicert.compat.shim.in_toto.models.metadata import Envelope, Metablock
from navicert.compat.shim.securesystemslib.formats import encode_canonical

names = st.text(st.sampled_from('ab/."\\ é\n\0\x7f{}:,'), max_size=6)
digits = st.sampled_from(["ab", "AB" * 32, "ab" * 32, "0" * 64])
sets = st.one_of(
    digits.map(lambda value: {"sha256": value}),
    st.dictionaries(st.sampled_from(["sha256", "sha512", "md5"]), digits, max_size=3),
)
artifacts = st.dictionaries(names, sets, max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | names | st.just(7396452018839206741),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
fields = st.dictionaries(names, values, max_size=3)


class TestALinkIsWrittenAsJsonWritesIt:
    """Lists of artifacts that are written as a whole are what is written when each is written by itself."""

    @given(artifacts, artifacts, fields, fields)
    @example({'a"': {"sha256": "ab" * 32}}, {"é": {"sha256": "ab" * 32}}, {}, {})
    @example({"a": {"sha256": "ab" * 32}}, {}, {"x": 7396452018839206741}, {})
    @settings(max_examples=500)
    def test_same_bytes(self, materials, products, byproducts, unknown):
        link = Link(
            name="x",
            materials=materials,
            products=products,
            byproducts=byproducts,
            **{f"x{n}": v for n, v in unknown.items()},
        )
        said = link.to_dict()
        assert link.signable_bytes == (encode_canonical(said) or "").encode()
        envelope = Envelope.from_signable(link)
        assert envelope.payload == json.dumps(said, sort_keys=True).encode()
        assert envelope._written() == json.dumps(envelope.to_dict(), sort_keys=True).encode()
        for compact in (False, True):
            block = Metablock(signed=link, compact_json=compact)
            indent, separators = (None, (",", ":")) if compact else (1, (",", ": "))
            written = json.dumps(block.to_dict(), indent=indent, separators=separators, sort_keys=True)
            assert block._written() == written.encode()

    @given(artifacts, artifacts, st.booleans())
    @example({"a": {"sha256": "ab" * 32}}, {"a": {"sha256": "0" * 64}}, False)
    @example({"a": {"sha256": "ab" * 32}}, {"a": {"sha256": "ab" * 32, "md5": "ab"}}, False)
    @example({"a": {"sha256": "ab" * 32}}, {"b": {"sha256": "ab" * 32}}, True)
    @settings(max_examples=500)
    def test_attack_what_was_changed_after_a_look_at_it_is_signed_as_it_was(self, before, after, replaced):
        link = Link(name="x", products={name: dict(digests) for name, digests in before.items()})
        assert link.signable_bytes == (encode_canonical(link.to_dict()) or "").encode()
        if replaced:
            link.products = after
        else:
            for name, digests in after.items():
                link.products.setdefault(name, {}).update(digests)
        assert link.signable_bytes == (encode_canonical(link.to_dict()) or "").encode()
