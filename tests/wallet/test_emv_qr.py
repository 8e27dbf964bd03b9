"""Shops' codes: read back as written, and refused where a single character is off."""

import binascii
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.yen import Yen
from sekisho.wallet.emv_qr import MerchantCode, QrNotOurs, QrUnreadable, checksum, read_code, write_code

LATIN = st.text(string.ascii_letters + string.digits + " &-", min_size=1, max_size=15)
CODE = MerchantCode("mer_1", "Cafe Todai", "Minatomachi", "5814", Yen(650), "prq_1", "T-7", "喫茶 灯台")


def test_the_checksum_is_the_one_of_the_standard():
    """CRC-16/CCITT-FALSE of "123456789" is 29B1, as every catalogue of checksums says."""
    assert checksum("123456789") == "29B1"
    assert binascii.crc_hqx(b"", 0xFFFF) == 0xFFFF


def test_a_published_example_is_read_as_another_s():
    """The example of the merchant-presented specification (EMVCo, QRCPS 1.1, annex) has a right checksum."""
    example = (
        "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
        "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***"
        "0708A60086670902ME91320016A0112233449988770708123456786304A13A"
    )
    assert checksum(example[:-4]) == example[-4:]
    with pytest.raises(QrNotOurs):
        read_code(example)


@given(
    name=LATIN,
    city=LATIN,
    amount=st.none() | st.integers(1, 1_000_000),
    local=st.text("灯台喫茶屋", max_size=20),
)
def test_what_was_written_is_read(name, city, amount, local):
    code = MerchantCode(
        "mer_1", name, city, "5814", None if amount is None else Yen(amount), local_name=local
    )
    assert read_code(write_code(code)) == code


@given(st.integers(0, 400), st.sampled_from(string.ascii_letters + string.digits + "灯"))
def test_a_code_with_one_other_character_is_refused(at, character):
    text = write_code(CODE)
    at %= len(text)
    changed = text[:at] + character + text[at + 1 :]
    if changed == text or changed[:-4] + changed[-4:].upper() == text:
        return
    with pytest.raises(QrUnreadable):
        read_code(changed)


@given(st.text(max_size=80))
def test_nothing_that_is_scanned_does_harm(text):
    with pytest.raises((QrUnreadable, QrNotOurs)):
        read_code(text)
    body = "000201" + text + "6304"
    with pytest.raises((QrUnreadable, QrNotOurs)):
        read_code(body + checksum(body))


@pytest.mark.parametrize(
    "broken", [{"name": "灯台"}, {"name": "x" * 26}, {"city": ""}, {"reference": "x" * 26}]
)
def test_what_does_not_fit_is_not_written(broken):
    with pytest.raises(ValueError):  # noqa: PT011 - several faults, one answer
        write_code(CODE._replace(**broken))
