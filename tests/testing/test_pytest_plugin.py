"""The pytest plugin in a project of somebody else's: its fixtures, and that nothing is there unless it is enabled."""

pytest_plugins = ["pytester"]

RECEIVER = """
from affwire import NotGenuine, Undecodable, receive

def receiver(dialect, secret, headers, body):
    try:
        receive(dialect, headers, body, secret)
    except (NotGenuine, Undecodable) as error:
        return error.http_status
    return 200
"""


def test_a_receivers_tests_with_every_dialect(pytester):
    pytester.makeconftest('pytest_plugins = ["affwire.testing.pytest_plugin"]')
    pytester.makepyfile(
        RECEIVER
        + """
import pytest

@pytest.mark.parametrize("name", ["affonso", "growi", "insert_affiliate", "rewardful", "standard", "tamio"])
def test_it_takes_genuine_requests_and_no_others(affwire_request, affwire_refuses, name):
    signed = affwire_request(name)
    affwire_refuses(lambda headers, body: receiver(name, signed.secret, headers, body), signed)

def test_a_word_and_a_change(affwire_request):
    headers, body, secret = affwire_request("rewardful", "affiliate.created", object__email="kim@example.com")
    assert b"kim@example.com" in body
    assert receive("rewardful", headers, body, secret).records["affiliate"]["email"] == "kim@example.com"

def test_vectors(affwire_vectors):
    assert {one.verdict for one in affwire_vectors("rewardful")} == {"genuine", "not_genuine", "undecodable"}
"""
    )
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=8)


def test_a_receiver_that_takes_everything_or_nothing_is_found_out(pytester):
    pytester.makeconftest('pytest_plugins = ["affwire.testing.pytest_plugin"]')
    pytester.makepyfile(
        """
def test_everything(affwire_request, affwire_refuses):
    affwire_refuses(lambda headers, body: 200, affwire_request("rewardful"))

def test_nothing(affwire_request, affwire_refuses):
    affwire_refuses(lambda headers, body: 401, affwire_request("rewardful"))
"""
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*takes a request that is unsigned*", "*refuses a genuine request*"])


def test_nothing_is_there_unless_it_is_enabled(pytester):
    pytester.makepyfile("def test_it(affwire_request): pass")
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(errors=1)
