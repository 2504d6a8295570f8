"""Floor 2, pure: one folder per dialect (codec, card, samples). Adding one changes nothing elsewhere.

An event goes in, what is said comes out: says(event) -> sayings, request(event, saying, ...) -> the POST, byte for byte.
"""
