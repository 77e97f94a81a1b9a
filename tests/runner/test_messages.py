from serbench.runner.cell.execute import _storable, _told


class Mute(Exception):
    def __str__(self):
        raise ValueError("no message")


def test_an_exception_without_a_message_and_half_a_character_are_told():
    assert _told(Mute()) == "Mute (its message cannot be shown)"
    assert _storable(_told(ValueError("a\ud800b"))) == "ValueError: a?b"
