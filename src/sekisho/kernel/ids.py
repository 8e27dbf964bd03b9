"""Typed ids: what a thing is can be read from its id, and one kind cannot pass for another.

An id is its kind's prefix, the time of its making (14 hexadecimal digits of microseconds) and 72 random bits,
so that ids sort in the order of their making and cannot be guessed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NewType, TypeVar

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock

RANDOM_OCTETS = 9
_BODY = re.compile(r"[0-9a-f]{32}")
_OF_STAFF = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")

MemberId = NewType("MemberId", str)
SessionId = NewType("SessionId", str)
AttemptId = NewType("AttemptId", str)
WithdrawalId = NewType("WithdrawalId", str)
BankLinkId = NewType("BankLinkId", str)
CampaignId = NewType("CampaignId", str)
CaseId = NewType("CaseId", str)
DeviceId = NewType("DeviceId", str)
SignInId = NewType("SignInId", str)
CodeId = NewType("CodeId", str)
CeremonyId = NewType("CeremonyId", str)
RevealId = NewType("RevealId", str)
HoldId = NewType("HoldId", str)
RecoveryId = NewType("RecoveryId", str)
CallId = NewType("CallId", str)
CallReportId = NewType("CallReportId", str)
MessageId = NewType("MessageId", str)
AccountId = NewType("AccountId", str)
TransferId = NewType("TransferId", str)
ContractId = NewType("ContractId", str)
LoanEventId = NewType("LoanEventId", str)
PayoutAccountId = NewType("PayoutAccountId", str)
TransferOrderId = NewType("TransferOrderId", str)
WebDebitId = NewType("WebDebitId", str)
BankFileId = NewType("BankFileId", str)
AtmSessionId = NewType("AtmSessionId", str)
AtmOrderId = NewType("AtmOrderId", str)
ApplicationId = NewType("ApplicationId", str)
IdentityCheckId = NewType("IdentityCheckId", str)
BureauQueryId = NewType("BureauQueryId", str)
LineCheckId = NewType("LineCheckId", str)
IncomeRenewalId = NewType("IncomeRenewalId", str)
DocumentId = NewType("DocumentId", str)
SignalStreamId = NewType("SignalStreamId", str)
SignalId = NewType("SignalId", str)
SignalEvidenceId = NewType("SignalEvidenceId", str)
WalletId = NewType("WalletId", str)
SwitchId = NewType("SwitchId", str)
ClaimId = NewType("ClaimId", str)
ContainmentId = NewType("ContainmentId", str)
DepositId = NewType("DepositId", str)
DepositorId = NewType("DepositorId", str)
LinkRequestId = NewType("LinkRequestId", str)
LinkConsentId = NewType("LinkConsentId", str)
MandateId = NewType("MandateId", str)
DebitId = NewType("DebitId", str)
CreditId = NewType("CreditId", str)
MandateReportId = NewType("MandateReportId", str)
TakenFileId = NewType("TakenFileId", str)
StaffRoleId = NewType("StaffRoleId", str)
BankOrderId = NewType("BankOrderId", str)
BankMoveId = NewType("BankMoveId", str)
MerchantId = NewType("MerchantId", str)
PaymentId = NewType("PaymentId", str)
PaymentRequestId = NewType("PaymentRequestId", str)
RefundId = NewType("RefundId", str)
SettlementId = NewType("SettlementId", str)
SendId = NewType("SendId", str)
GlassId = NewType("GlassId", str)
PartnerRecoveryId = NewType("PartnerRecoveryId", str)
PartnerReceiptId = NewType("PartnerReceiptId", str)

AnyId = TypeVar("AnyId")


@dataclass(frozen=True, slots=True)
class IdKind(Generic[AnyId]):
    """One kind of id: makes new ones and recognises its own."""

    prefix: str
    typed: Callable[[str], AnyId]

    def new(self, clock: Clock, chance: Chance) -> AnyId:
        """Make an id that sorts after those made before by the same clock."""
        return self.of(clock.now_us(), chance.bits(8 * RANDOM_OCTETS).to_bytes(RANDOM_OCTETS, "big"))

    def of(self, made_us: int, octets: bytes) -> AnyId:
        """Make the id of a time and `RANDOM_OCTETS` octets, which must be drawn for it alone."""
        return self.typed(f"{self.prefix}_{made_us:014x}{octets.hex()}")

    def parse(self, text: str) -> AnyId:
        """Recognise an id that came from outside. Raises ValueError where it is not one of this kind."""
        prefix, _, body = text.partition("_")
        if prefix != self.prefix or not _BODY.fullmatch(body):
            raise ValueError(f"not an id of the kind {self.prefix}_: {text[:60]!r}")
        return self.typed(text)


def made_at_us(any_id: str) -> int:
    """Return when an id was made, in microseconds since the epoch, UTC."""
    return int(any_id.partition("_")[2][:14], 16)


def is_staff_id(text: str) -> bool:
    """Say whether a text can be the id of a member of staff: at the desks, or on the house's own list."""
    return _OF_STAFF.fullmatch(text) is not None


MEMBER = IdKind("mem", MemberId)
SESSION = IdKind("ses", SessionId)
ATTEMPT = IdKind("att", AttemptId)
WITHDRAWAL = IdKind("wdr", WithdrawalId)
BANK_LINK = IdKind("lnk", BankLinkId)
CAMPAIGN = IdKind("cmp", CampaignId)
CASE = IdKind("case", CaseId)

DEVICE = IdKind("dev", DeviceId)
SIGN_IN = IdKind("sin", SignInId)
CODE = IdKind("otc", CodeId)
CEREMONY = IdKind("cer", CeremonyId)
REVEAL = IdKind("rvl", RevealId)
HOLD = IdKind("hld", HoldId)
RECOVERY = IdKind("rcv", RecoveryId)
CALL = IdKind("cal", CallId)
CALL_REPORT = IdKind("crp", CallReportId)
MESSAGE = IdKind("msg", MessageId)
ACCOUNT = IdKind("acc", AccountId)
TRANSFER = IdKind("trf", TransferId)
CONTRACT = IdKind("ctr", ContractId)
LOAN_EVENT = IdKind("lev", LoanEventId)
PAYOUT_ACCOUNT = IdKind("poa", PayoutAccountId)
TRANSFER_ORDER = IdKind("tro", TransferOrderId)
WEB_DEBIT = IdKind("wdb", WebDebitId)
BANK_FILE = IdKind("bkf", BankFileId)
ATM_SESSION = IdKind("ats", AtmSessionId)
ATM_ORDER = IdKind("ato", AtmOrderId)
APPLICATION = IdKind("apl", ApplicationId)
IDENTITY_CHECK = IdKind("idc", IdentityCheckId)
BUREAU_QUERY = IdKind("bqr", BureauQueryId)
LINE_CHECK = IdKind("lck", LineCheckId)
INCOME_RENEWAL = IdKind("inr", IncomeRenewalId)
DOCUMENT = IdKind("doc", DocumentId)
SIGNAL_STREAM = IdKind("sst", SignalStreamId)
SIGNAL = IdKind("sig", SignalId)
SIGNAL_EVIDENCE = IdKind("sev", SignalEvidenceId)
WALLET = IdKind("wal", WalletId)
SWITCH = IdKind("swt", SwitchId)
CLAIM = IdKind("clm", ClaimId)
CONTAINMENT = IdKind("ctm", ContainmentId)
DEPOSIT = IdKind("dep", DepositId)
DEPOSITOR = IdKind("dpr", DepositorId)
LINK_REQUEST = IdKind("lrq", LinkRequestId)
LINK_CONSENT = IdKind("lcn", LinkConsentId)
MANDATE = IdKind("mdt", MandateId)
DEBIT = IdKind("dbt", DebitId)
CREDIT = IdKind("crd", CreditId)
MANDATE_REPORT = IdKind("mrp", MandateReportId)
TAKEN_FILE = IdKind("tkf", TakenFileId)
STAFF_ROLE = IdKind("srl", StaffRoleId)
BANK_ORDER = IdKind("bor", BankOrderId)
BANK_MOVE = IdKind("bmv", BankMoveId)
MERCHANT = IdKind("mer", MerchantId)
PAYMENT = IdKind("pay", PaymentId)
PAYMENT_REQUEST = IdKind("prq", PaymentRequestId)
REFUND = IdKind("rfd", RefundId)
SETTLEMENT = IdKind("stl", SettlementId)
SEND = IdKind("snd", SendId)
GLASS = IdKind("gls", GlassId)
PARTNER_RECOVERY = IdKind("prv", PartnerRecoveryId)
PARTNER_RECEIPT = IdKind("prc", PartnerReceiptId)

ID_KINDS = (
    MEMBER,
    SESSION,
    ATTEMPT,
    WITHDRAWAL,
    BANK_LINK,
    CAMPAIGN,
    CASE,
    DEVICE,
    SIGN_IN,
    CODE,
    CEREMONY,
    REVEAL,
    HOLD,
    RECOVERY,
    CALL,
    CALL_REPORT,
    MESSAGE,
    ACCOUNT,
    TRANSFER,
    CONTRACT,
    LOAN_EVENT,
    PAYOUT_ACCOUNT,
    TRANSFER_ORDER,
    WEB_DEBIT,
    BANK_FILE,
    ATM_SESSION,
    ATM_ORDER,
    APPLICATION,
    IDENTITY_CHECK,
    BUREAU_QUERY,
    LINE_CHECK,
    DOCUMENT,
    SIGNAL_STREAM,
    SIGNAL,
    SIGNAL_EVIDENCE,
    WALLET,
    SWITCH,
    CLAIM,
    CONTAINMENT,
    DEPOSIT,
    DEPOSITOR,
    LINK_REQUEST,
    LINK_CONSENT,
    MANDATE,
    DEBIT,
    CREDIT,
    MANDATE_REPORT,
    TAKEN_FILE,
    STAFF_ROLE,
    BANK_ORDER,
    BANK_MOVE,
    MERCHANT,
    PAYMENT,
    PAYMENT_REQUEST,
    REFUND,
    SETTLEMENT,
    SEND,
    GLASS,
    PARTNER_RECOVERY,
    PARTNER_RECEIPT,
)
