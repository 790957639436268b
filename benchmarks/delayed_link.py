"""A link with delay: bytes written to it come out half a round trip later, either way."""


class DelayedLink:
    pass
