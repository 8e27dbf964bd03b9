"""What a one-time code is for: one action with its amount, place and item, and the words that say so.

A code opens exactly the purpose that it was asked for. The person reads the same purpose in the message, so
that whoever is asked for the code by somebody else can see what it would be used for.
"""

import hashlib
import re
import unicodedata

import msgspec

TEXT_CHARS_MAX = 24

_ACTIONS = {
    "login": {"ja": "ログイン", "en": "log in"},
    "sign_up": {"ja": "新規登録", "en": "open an account"},
    "reveal": {"ja": "{item}の表示", "en": "show {item}"},
    "contact_change": {"ja": "{item}の変更", "en": "change {item}"},
    "password_change": {"ja": "パスワードの変更", "en": "change the password"},
    "passkey_added": {"ja": "パスキーの追加", "en": "add a passkey"},
    "passkey_removed": {"ja": "パスキーの削除", "en": "remove a passkey"},
    "device_trusted": {"ja": "新しい端末の登録", "en": "approve a new device"},
    "device_revoked": {"ja": "端末の登録の解除", "en": "remove a device"},
    "recovery": {"ja": "ログイン方法の再設定", "en": "recover the account"},
    "unfreeze": {"ja": "利用停止の解除", "en": "unfreeze the account"},
    "atm_withdrawal": {"ja": "スマホATMでの出金", "en": "withdraw cash at an ATM"},
    "atm_repayment": {"ja": "スマホATMでの返済", "en": "repay at an ATM"},
    "transfer": {"ja": "振込", "en": "transfer money"},
    "payee_added": {"ja": "振込先の登録", "en": "add a payee"},
    "payout_account": {"ja": "受取口座の登録", "en": "set the account for payouts"},
    "bank_link": {"ja": "銀行口座の連携", "en": "link a bank account"},
    "charge": {"ja": "残高のチャージ", "en": "charge the wallet"},
    "send": {"ja": "送金", "en": "send money"},
    "payment": {"ja": "支払い", "en": "pay"},
}
"""What can be approved by a code, in words; `{item}` is the item that it concerns."""

ACTIONS = frozenset(_ACTIONS)

_ITEMS = {
    "name": {"ja": "お名前", "en": "your name"},
    "name_kana": {"ja": "お名前(カナ)", "en": "your name in kana"},
    "birth_date": {"ja": "生年月日", "en": "your date of birth"},
    "member_number": {"ja": "会員番号", "en": "your member number"},
    "home_address": {"ja": "ご自宅の住所", "en": "your home address"},
    "home_phone": {"ja": "ご自宅の電話番号", "en": "your home telephone number"},
    "employer_name": {"ja": "お勤め先の名称", "en": "your employer's name"},
    "employer_address": {"ja": "お勤め先の住所", "en": "your employer's address"},
    "employer_phone": {"ja": "お勤め先の電話番号", "en": "your employer's telephone number"},
    "mobile_phone": {"ja": "携帯電話番号", "en": "your mobile number"},
    "email": {"ja": "メールアドレス", "en": "your e-mail address"},
    "payout_account": {"ja": "受取口座", "en": "your account for payouts"},
    "transaction_history": {"ja": "お取引の履歴", "en": "your transactions"},
    "loan_balance": {"ja": "お借入れの残高", "en": "your loan balance"},
    "payment_information": {"ja": "お支払いの情報", "en": "your payments"},
}
_NO_ITEM = {"ja": "お客さま情報", "en": "your data"}

_DETAILS = {
    "payee": {"ja": "相手先", "en": "to"},
    "bank": {"ja": "金融機関", "en": "bank"},
    "account": {"ja": "口座", "en": "account"},
    "device": {"ja": "端末", "en": "device"},
}
"""The details that a person is told; others bind the code all the same."""

_LABELS = {"ja": {"place": "場所"}, "en": {"place": "place"}}

# What is left of a text that somebody chose can neither be a link nor look like the origin-bound last line.
_UNFIT = re.compile(r"[^\w \-()()・ー&]+")


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """One action to be approved. Two purposes are the same only where every part of them is.

    `item` is the personal item that it concerns, `place` where it happens (an ATM, a shop), `details` what
    else binds it (payee, account, nonce of an ATM session). Raises ValueError for an action without words.
    """

    action: str
    amount_yen: int | None = None
    place: str = ""
    item: str = ""
    details: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"no words for the action {self.action[:40]!r}")
        if self.item and self.item not in _ITEMS:
            raise ValueError(f"no words for the item {self.item[:40]!r}")

    @property
    def key(self) -> str:
        """Return a text that is equal for equal purposes alone, and tells nobody the details."""
        whole = msgspec.json.encode(self, order="deterministic")
        return f"{self.action}:{hashlib.sha256(whole).hexdigest()}"


def in_words(purpose: Purpose, language: str) -> str:
    """Say what a purpose approves, in one line, in `ja` or else in `en`."""
    language = "ja" if language == "ja" else "en"
    words = _ACTIONS[purpose.action][language].format(item=_ITEMS.get(purpose.item, _NO_ITEM)[language])
    told = []
    if purpose.amount_yen is not None:
        told.append(f"{purpose.amount_yen:,}円" if language == "ja" else f"{purpose.amount_yen:,} yen")
    if place := _tidy(purpose.place):
        told.append(f"{_LABELS[language]['place']}: {place}")
    for name, labels in _DETAILS.items():
        if value := _tidy(purpose.details.get(name, "")):
            told.append(f"{labels[language]}: {value}")
    if not told:
        return words
    return f"{words}({'、'.join(told)})" if language == "ja" else f"{words} ({', '.join(told)})"


def item_in_words(item: str, language: str) -> str:
    """Return what a personal item is called towards its owner, in `ja` or else in `en`."""
    return _ITEMS.get(item, _NO_ITEM)["ja" if language == "ja" else "en"]


def _tidy(text: str) -> str:
    plain = " ".join(_UNFIT.sub(" ", unicodedata.normalize("NFKC", text)).split())
    return plain if len(plain) <= TEXT_CHARS_MAX else plain[: TEXT_CHARS_MAX - 1] + "…"
