"""``besnik fleet release``: the key, what it signs, and what a release with a fault is told."""

from __future__ import annotations

import hashlib
import shutil
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from besnik.cli import main
from besnik.fleet import manifest as form
from besnik.fleet import release, signing
from besnik.fleet.manifest import File, Manifest, ManifestError
from besnik.fleet.release import ReleaseError
from besnik.fleet.signing import SigningError

# PKCS#1 v1.5 with SHA-256 (RFC 8017, 9.2, note 1): what comes before the digest.
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
FILES = {
    "main.py": b"from firmware import app\n",
    "firmware/app.mpy": b"M\x06\x00\x1f" + bytes(1020),
    "lib/mfrc522.mpy": b"M\x06\x00\x1f!",
}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> rsa.RSAPrivateKey:
    file = tmp_path_factory.mktemp("key") / "release.key"
    signing.make_key(file)
    return signing.load_key(file)


@pytest.fixture
def made(tmp_path: Path, key: rsa.RSAPrivateKey) -> Path:
    return release.make(tmp_path / "releases", key, FILES, number=7, version="1.2.0", board="esp32")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a shop in which commands run."""
    monkeypatch.delenv("BESNIK_CONFIG", raising=False)
    monkeypatch.delenv("BESNIK_RELEASE_PASSPHRASE", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("besnik.toml").write_text('state = "state"\n')
    return tmp_path


def test_a_reader_can_check_the_signature_with_nothing_but_its_modulus(
    made: Path, key: rsa.RSAPrivateKey
) -> None:
    n = int.from_bytes(signing.public_half(key), "big")
    signature = (made / "signature").read_bytes()
    block = pow(int.from_bytes(signature, "big"), 65537, n).to_bytes(384, "big")
    digest = hashlib.sha256((made / "manifest").read_bytes()).digest()
    ending = b"\0" + DIGEST_INFO + digest
    assert block == b"\0\1" + b"\xff" * (382 - len(ending)) + ending


def test_the_manifest_is_the_agreed_text(made: Path) -> None:
    lines = (made / "manifest").read_text().split("\n")
    assert lines[:2] == ["besnik-release 1", "number 7"]
    assert lines[2:4] == ["version 1.2.0", "board esp32"]
    assert lines[4].startswith("mpy 6.")
    assert [line.split()[1:3] for line in lines[5:-1]] == [
        ["firmware/app.mpy", "1024"], ["lib/mfrc522.mpy", "5"], ["main.py", "25"],
    ]  # fmt: skip
    assert lines[-1] == ""


def test_its_pieces_come_in_parts_and_a_short_part_is_the_last(
    made: Path, key: rsa.RSAPrivateKey
) -> None:
    loaded = release.load(made, signing.public_half(key))
    assert loaded.part(release.SIGNATURE, 0) == (made / "signature").read_bytes()[:256]
    assert loaded.part(release.MANIFEST, 0) == (made / "manifest").read_bytes()[:256]
    app = FILES["firmware/app.mpy"]
    assert loaded.part(0, 256) == app[256:512]
    assert loaded.part(0, 1024) == b""
    assert loaded.part(0, 1025) is None
    assert loaded.part(3, 0) is None
    assert loaded.part(-3, 0) is None


def test_a_release_with_another_byte_anywhere_is_none(made: Path, key: rsa.RSAPrivateKey) -> None:
    public = signing.public_half(key)
    for name in ("manifest", "signature", "main.py", "lib/mfrc522.mpy"):
        whole = (made / name).read_bytes()
        for wrong in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), whole + b"\n"):
            (made / name).write_bytes(wrong)
            with pytest.raises(ReleaseError):
                release.load(made, public)
        (made / name).write_bytes(whole)
    assert release.load(made, public).manifest.number == 7


def test_a_release_of_another_key_is_none(made: Path, tmp_path: Path) -> None:
    other = signing.load_public(signing.make_key(tmp_path / "other.key"))
    with pytest.raises(ReleaseError, match="not by the key that readers here obey"):
        release.load(made, other)


def test_a_release_that_lacks_a_file_or_has_another_name_is_none(
    made: Path, key: rsa.RSAPrivateKey
) -> None:
    public = signing.public_half(key)
    made = made.rename(made.with_name("00008"))
    with pytest.raises(ReleaseError, match="has to be called 00007"):
        release.load(made, public)
    (made / "main.py").unlink()
    with pytest.raises(ReleaseError, match=r"main\.py cannot be read: copy it again"):
        release.load(made, public)


def test_numbers_only_go_up(made: Path, key: rsa.RSAPrivateKey) -> None:
    assert release.next_number(made.parent) == 8
    for number in (7, 6):
        with pytest.raises(ReleaseError, match="must be 8 or more"):
            release.make(made.parent, key, FILES, number=number, version="1", board="esp32")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": 0}, "number"),
        ({"version": "1 2"}, "version"),
        ({"board": ""}, "board"),
        ({"files": ()}, "files"),
        ({"files": (File("firmware/app.mpy", 1, "0" * 64),)}, "main.py"),
        ({"files": (File("../etc/passwd", 1, "0" * 64),)}, "path"),
        ({"files": (File("boot.py", 1, "0" * 64),)}, "path"),
        ({"files": (File("main.py", 65537, "0" * 64),)}, "size"),
    ],
)
def test_what_no_reader_would_take_is_not_written(changes: dict[str, object], said: str) -> None:
    right: dict[str, object] = {
        "number": 1, "version": "1", "board": "esp32", "mpy": "6.3",
        "files": (File("main.py", 1, "0" * 64),),
    }  # fmt: skip
    form.encode(Manifest(**right))  # type: ignore[arg-type]  # its fields, by name
    with pytest.raises(ManifestError, match=said):
        form.encode(Manifest(**(right | changes)))  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    "text",
    [
        b"", b"besnik-release 2\n", b"\xff", b"besnik-release 1\nnumber 1\n",
        b"besnik-release 1\nnumber 01\nversion 1\nboard esp32\nmpy 6.3\n",
        b"besnik-release 1\nnumber 1\nversion 1\nboard esp32\nmpy 6.3\nfile main.py 1\n",
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(ManifestError):
        form.decode(text)


def test_a_key_is_kept_private_and_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "keys/release.key"
    public = signing.make_key(file, b"correct horse")
    assert public == tmp_path / "keys/release.pub"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert signing.is_encrypted(file)
    loaded = signing.load_key(file, b"correct horse")
    assert signing.load_public(public) == signing.public_half(loaded)
    with pytest.raises(SigningError, match="cannot be opened"):
        signing.load_key(file, b"wrong")
    with pytest.raises(SigningError, match="none is replaced"):
        signing.make_key(file)
    public.write_bytes(b"short")
    with pytest.raises(SigningError, match="not the public half"):
        signing.load_public(public)


def test_from_a_new_key_to_a_checked_release(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BESNIK_RELEASE_PASSPHRASE", "correct horse battery")
    assert main(["fleet", "release", "--new-key", "safe/release.key"]) == 0
    assert (shop / "state/release.pub").read_bytes() == (shop / "safe/release.pub").read_bytes()

    assert main(["fleet", "release", "--key", "safe/release.key", "--version", "9.9.9"]) == 0
    said = capsys.readouterr().out
    assert "release 1: version 9.9.9 for esp32, bytecode 6." in said
    assert f"of themselves readers will say version {release.source_version()}" in said
    folder = shop / "state/releases/00001"
    paths = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"manifest", "signature", "main.py", "firmware/app.mpy", "lib/mfrc522.mpy"} <= paths
    assert "boot.py" not in paths

    assert main(["fleet", "release", "--check", str(folder)]) == 0
    assert "signature and every file are good" in capsys.readouterr().out
    (folder / "main.py").write_bytes(b"import evil\n")
    assert main(["fleet", "release", "--check", str(folder)]) == 1
    assert "main.py is not what was signed" in capsys.readouterr().err


def test_without_a_key_it_says_how_to_make_one(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "release", "--key", "release.key"]) == 1
    assert "besnik fleet release --new-key release.key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--number", "0"), "release 0: numbers begin at 1"),
        (("--version", "1 2"), "version '1 2': up to 16 letters, digits"),
    ],
)
def test_what_is_no_number_or_version_is_said_in_plain_words(
    shop: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, str], said: str
) -> None:
    signing.make_key(shop / "safe/release.key")
    assert main(["fleet", "release", "--key", "safe/release.key", *options]) == 1
    assert said in capsys.readouterr().err


def test_a_key_that_others_can_read_signs_nothing(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = shop / "safe/release.key"
    signing.make_key(key)
    key.chmod(0o644)
    assert main(["fleet", "release", "--key", str(key)]) == 1
    assert f"chmod 600 {key}" in capsys.readouterr().err
    assert not (shop / "state/releases").exists()


def test_a_key_stays_off_the_host_that_faces_readers(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "release", "--new-key", "state/second.key"]) == 1
    assert "faces the readers" in capsys.readouterr().err
    assert not (shop / "state/second.key").exists()
    signing.make_key(shop / "safe/release.key")
    (shop / "state/readers").mkdir(parents=True)
    copied = (shop / "safe/release.key").rename(shop / "state/readers/mine")
    (shop / "link.key").symlink_to(copied)
    for given in (str(copied), "link.key"):
        assert main(["fleet", "release", "--key", given]) == 1
        assert "faces the readers" in capsys.readouterr().err


def test_a_key_on_the_host_is_found(tmp_path: Path) -> None:
    own = tmp_path / "ca/ca.key"
    own.parent.mkdir()
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    text = ec.generate_private_key(ec.SECP256R1()).private_bytes(*pem, serialization.NoEncryption())
    own.write_bytes(text)
    (tmp_path / "broken.pem").write_bytes(text[:60])
    (tmp_path / "nothing.pem").write_bytes(b"")
    assert signing.keys_in(tmp_path) == []
    signing.make_key(tmp_path / "ca/other")
    signing.make_key(tmp_path / "locked.key", b"correct horse")
    assert signing.keys_in(tmp_path) == [tmp_path / "ca/other", tmp_path / "locked.key"]


def test_a_folder_that_goes_while_keys_are_looked_for_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        (folder / "report").write_bytes(b"")
    signing.make_key(tmp_path / "release.key")
    real = signing._may_be_key

    def gone(file: Path) -> bool:
        for folder in folders:
            if file.parent not in (folder, tmp_path):
                shutil.rmtree(folder, ignore_errors=True)
        return real(file)

    monkeypatch.setattr(signing, "_may_be_key", gone)
    assert signing.keys_in(tmp_path) == [tmp_path / "release.key"]
