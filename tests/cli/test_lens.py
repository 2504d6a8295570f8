from affwire.cli.lens import lines

REQUEST = {
    "word": "affiliate.created",
    "subject_id": "aff_1",
    "reason": None,
    "headers": [["Content-Type", "application/json"], ["X-Signature", "****"]],
    "body": '{"b": 1, "a": "\\u00e4"}',
    "body_base64": False,
}


def test_a_request_reads_as_headers_and_a_pretty_body_in_its_own_order():
    assert lines({"dialect": "tamio", "reason": None, "requests": [REQUEST]}) == [
        "tamio  affiliate.created  aff_1",
        "Content-Type: application/json",
        "X-Signature: ****",
        "",
        "{",
        '  "b": 1,',
        '  "a": "ä"',
        "}",
        "",
    ]


def test_silence_and_what_cannot_be_said_are_sentences():
    assert lines({"dialect": "growi", "reason": "no e-mail", "requests": []})[0] == "growi says nothing: no e-mail"
    broken = REQUEST | {"reason": "There is no record."}
    assert "cannot be said: There is no record." in lines({"dialect": "growi", "reason": None, "requests": [broken]})


def test_a_body_that_is_no_json_is_shown_as_it_is():
    for body, base64 in (("one\ntwo", False), ("/w==", True)):
        assert lines({"dialect": "x", "reason": None, "requests": [REQUEST | {"body": body, "body_base64": base64}]})
