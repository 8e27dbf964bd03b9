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
    """A branch: three digits, its name, and its name as files write it."""

    code: str
    name: str
    name_kana: str


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


_BRANCHES = (Branch("001", "本店", "ﾎﾝﾃﾝ"), Branch("002", "港町", "ﾐﾅﾄﾏﾁ"))
MISAKI = BankProfile("9901", "ﾐｻｷ", {branch.code: branch for branch in _BRANCHES})
"""The invented bank of the demonstration. No bank of Japan has a code that begins with 990."""
