"""What commits and errors say, and what they must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoran.repository.errors import AuthenticationFailed, Moved, Refused, RemoteError, RepositoryError, StorageFull
from nephoran.repository.messages import commit_message, one_line, redacted
from nephoran.repository.remote import PROTOCOLS, _pushed, check_url, environment
from nephoran.repository.requests import removing, writing
from steady.errors import ConfigurationError
from tests.unit.repository.remotes import change

SECRETS = st.text(st.sampled_from("abcXYZ019%-_."), min_size=8, max_size=20).filter(lambda s: "%" not in s)


async def test_one_deployment_is_the_subject() -> None:
    """A commit of one intent names it in the subject, and its generation in the body."""
    message = commit_message([writing(change("a", generation=3), "lab")])
    assert message.splitlines()[0] == "Deploy NetworkIntent: ran/a"
    assert "- deploy ran/a uid=u1 generation=3 digest=a-3: AMF" in message


async def test_many_are_counted_and_listed() -> None:
    """A group says how many of each kind; the body lists every one."""
    deploy = [writing(change(f"i{n}"), "lab") for n in range(12)]
    remove = [removing("ran", "x", "u", "lab"), removing("ran", "y", "u", "lab")]
    assert commit_message(deploy).startswith("Deploy 12 NetworkIntents\n\n")
    assert commit_message(remove).startswith("Remove 2 NetworkIntents\n\n")
    assert commit_message(remove[:1]).startswith("Remove NetworkIntent: ran/x\n\n")
    mixed = commit_message(deploy + remove)
    assert mixed.startswith("Deploy 12 and remove 2 NetworkIntents\n\n")
    assert len(mixed.strip().splitlines()) == 2 + 14


@given(st.text())
def test_no_text_forges_a_line(text: str) -> None:
    """Property: whatever a sentence holds, it stays one printable line of bounded length."""
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= 200
    line.encode()


@given(SECRETS, SECRETS)
def test_no_credential_of_the_url_survives(user: str, password: str) -> None:
    """Property: neither in a URL nor loose, as git's helpers print it, is the password seen."""
    url = f"https://{user}:{password}@git.example.com/x.git"
    for text in (f"fatal: unable to access '{url}'", f"rejected {password} for {url}", f"{url} {password}"):
        assert password not in redacted(text, url).replace("git.example.com/x.git", "")


def test_a_token_as_the_user_is_hidden() -> None:
    """`https://TOKEN@host` is a common spelling."""
    assert redacted("remote: s3cr3ttoken is expired", "https://s3cr3ttoken@h/x") == "remote: *** is expired"


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c true", "fd::17", "--upload-pack=x", "http://h/x", "git://h/x", "relative/path", "", "file", "a::b"],
)
def test_other_protocols_are_a_configuration_error(url: str) -> None:
    """A remote that runs commands, goes unencrypted or looks like an option is refused by name."""
    with pytest.raises(ConfigurationError, match="git remote"):
        check_url(url)


@pytest.mark.parametrize("url", ["/srv/git/x.git", "file:///x", "https://h/x", "ssh://git@h/x", "git@h:org/x.git"])
def test_ordinary_remotes_are_accepted(url: str) -> None:
    """Paths, https, ssh and its short form."""
    check_url(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://169.254.169.254/x.git", "never allowed"),
        ("https://robot:hunter2@[fd00:ec2::254]/x.git", "never allowed"),
        ("ssh://git@[::ffff:169.254.169.254]:22/x.git", "never allowed"),
        ("git@0.0.0.0:x.git", "never allowed"),
        ("https://2852039166/x.git", "usual form"),
        ("git@0xa9.254.169.254:x.git", "usual form"),
        ("https:///x.git", "names no host"),
        ("https://[::1/x.git", "IPv6"),
    ],
)
def test_an_address_that_no_list_can_allow_is_no_remote(url: str, why: str) -> None:
    """The owner's own option is believed, but not that the manifests belong to a metadata service."""
    with pytest.raises(ConfigurationError, match=f"git remote.*{why}") as raised:
        check_url(url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["https://127.0.0.1:3000/x", "https://[::1]/x", "git@10.0.0.7:x", "https://GIT.Lan./x"])
def test_the_owners_own_hosts_are_accepted(url: str) -> None:
    """Loopback and private ones too: nobody else names the remote."""
    check_url(url)


def test_the_environment_of_git_is_ours() -> None:
    """Nothing that steers git or asks questions is inherited; the rest (PATH, HOME, agents, proxies) is."""
    inherited = {"GIT_DIR": "/x", "GIT_SSH_COMMAND": "evil", "SSH_ASKPASS": "x", "LC_ALL": "de_DE", "HOME": "/h"}
    seen = environment(inherited, PROTOCOLS, None)
    assert seen == {
        "HOME": "/h",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ALLOW_PROTOCOL": "file:https:ssh",
        "LC_ALL": "C",
    }


@pytest.mark.parametrize(
    ("status", "complaint", "error"),
    [
        ("[rejected] (stale info)", "", Moved),
        ("[rejected] (fetch first)", "", Moved),
        ("[remote rejected] (cannot lock ref 'refs/heads/main': is at a but expected b)", "", Moved),
        ("[remote rejected] (pre-receive hook declined)", "remote: no", Refused),
        ("[remote rejected] (push declined due to repository rule violations)", "", Refused),
        ("[remote rejected] (protected branch hook declined)", "", AuthenticationFailed),
        ("[remote rejected] (unpacker error)", "remote: fatal: write error: No space left on device", StorageFull),
        ("[remote rejected] (branch is currently checked out)", "", RemoteError),
    ],
)
def test_a_rejection_is_told_by_its_kind(status: str, complaint: str, error: type[RepositoryError]) -> None:
    """Porcelain output decides whether to try again, to split, or to give up."""
    with pytest.raises(error) as raised:
        _pushed(f"To x\n!\tabc:refs/heads/main\t{status}\nDone\n", complaint, "https://h/x")
    assert type(raised.value) is error


def test_silence_about_the_branch_is_no_success() -> None:
    """A push that reports nothing has not been confirmed."""
    with pytest.raises(RemoteError, match="outcome unknown"):
        _pushed("Done\n", "", "https://h/x")
