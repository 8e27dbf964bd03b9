"""The bank's code, its name in banks' kana, and its branches."""

from collections.abc import Mapping
from typing import NamedTuple

from sekisho.kernel.refusals import Refusal


class BranchUnknown(Refusal):
    """The bank has no branch of this code. Only the bank's own staff ever read this."""

    code = "branch_unknown"
    status = 422
    told = "The bank has no branch of this code."


class Branch(NamedTuple):
    """A branch: three digits, its name in Japanese, as files write it, and in English."""

    code: str
    name: str
    name_kana: str
    english: str

    def called(self, language: str) -> str:
        """Return the name in a language, `ja` or `en`."""
        return self.english if language == "en" else self.name


class BankProfile(NamedTuple):
    """Who the bank is to other banks: four digits, its name as files write it, and its branches by code."""

    code: str
    name_kana: str
    branches: Mapping[str, Branch]

    def branch(self, code: str) -> Branch:
        """Return a branch. Raises BranchUnknown."""
        found = self.branches.get(code)
        if found is None:
            raise BranchUnknown(known=code[:3])
        return found


_BRANCHES = (
    Branch("001", "本店", "ﾎﾝﾃﾝ", "Main branch"),
    Branch("002", "港町支店", "ﾐﾅﾄﾏﾁ", "Minatomachi branch"),
)
MISAKI = BankProfile("9901", "ﾐｻｷ", {branch.code: branch for branch in _BRANCHES})
"""The invented bank of the demonstration. No bank of Japan has a code that begins with 990."""
