"""A mapping file: each mistake in it is told, before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from besnik.crm.foreign import CrmSettingsError
from besnik.crm.http.adapter import OwnMapping
from support.mapped import MAPPING, rewrite, written


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return written(tmp_path)


class TestMappingFile:
    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            ('name = "Ours"', "name = ", "ours.toml"),
            ('tested = "no"', 'tested = "no"\nspeed = 3', "speed"),
            ('path = "/find"', 'path = "/find/{key}"', "uses {key}"),
            ("{cards}", "{card_list}", "uses {card_list}"),
            ("at_once = 3", "at_once = 0", "at_once"),
            ("at_once = 3", 'at_once = "three"', "at_once"),
            ('method = "POST"', 'method = "PO ST"', "method"),
            ("[auth]", "[limits]\nper_second = 0\n[auth]", "per_second"),
            ("[auth]", "[limits]\nper_second = -1\n[auth]", "per_second"),
            ("[auth]", "[limits]\nper_day = 0\n[auth]", "per_day"),
            ("[auth]", "[limits]\nsearch_lag_s = -1\n[auth]", "search_lag_s"),
            ('next = "at"', 'next = "at"\npage_size = 0', "page_size"),
            ("[visits.find]", "[visits.search]", "search"),
            ('for_each = "visits"', 'for_each = "customer"', "for_each is one of"),
            ('for_each = "visits"', "for_each = 3", "for_each is one of"),
            ("[auth]", '[headers]\nX-Who = "{key}"\n[auth]', "headers uses {key}"),
            ('name = "card_field"', 'name = "cards"', "cannot be called cards"),
            ('id = "id"\nname', 'id = ""\nname', "customer.id"),
        ],
    )
    def test_a_mistake_is_told(self, mapping: Path, before: str, after: str, told: str) -> None:
        rewrite(mapping, before, after)
        with pytest.raises(CrmSettingsError) as caught:
            OwnMapping.open_crm({"mapping": str(mapping), "url": "http://x"}, {"key": "k"})
        assert told in str(caught.value)

    def test_visits_that_could_be_doubled_are_no_mapping(self, mapping: Path) -> None:
        head, _, rest = MAPPING.partition("[visits.find]")
        mapping.write_text(head + "[visits.write]" + rest.partition("[visits.write]")[2])
        with pytest.raises(CrmSettingsError, match="written twice"):
            OwnMapping.open_crm({"mapping": str(mapping), "url": "http://x"}, {"key": "k"})

    def test_what_is_missing_is_asked_for(self, mapping: Path) -> None:
        with pytest.raises(CrmSettingsError, match="Key"):
            OwnMapping.open_crm({"mapping": str(mapping), "url": "http://x"}, {})
        with pytest.raises(CrmSettingsError, match="name the file"):
            OwnMapping.open_crm({}, {})
        with pytest.raises(CrmSettingsError, match="cannot be read"):
            OwnMapping.open_crm({"mapping": "/nowhere.toml"}, {})

    @pytest.mark.parametrize("key", ["two\nlines", "nul\0"])
    def test_a_key_that_was_pasted_wrong_is_told_and_not_shown(
        self, mapping: Path, key: str
    ) -> None:
        with pytest.raises(CrmSettingsError, match=r"key: .*in one line") as caught:
            OwnMapping.open_crm({"mapping": str(mapping), "url": "http://x"}, {"key": key})
        assert key not in str(caught.value)

    def test_a_file_that_is_no_text_is_told(self, mapping: Path) -> None:
        mapping.write_bytes(b"name = '\xff'")
        with pytest.raises(CrmSettingsError, match=r"ours\.toml"):
            OwnMapping.open_crm({"mapping": str(mapping), "url": "http://x"}, {"key": "k"})

    def test_the_example_of_the_manual_is_whole(self, tmp_path: Path, root: Path) -> None:
        manual = (root / "docs/crm-mappings.md").read_text()
        file = tmp_path / "example.toml"
        file.write_text(manual.partition("```toml\n")[2].partition("```")[0])
        crm = OwnMapping.open_crm({"mapping": str(file), "url": "http://x"}, {"key": "k"})
        assert (crm.capabilities.lookup_max, crm.capabilities.per_day) == (50, 20000)
