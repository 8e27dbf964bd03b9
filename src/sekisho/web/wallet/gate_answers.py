"""How the wallet's pages go on from what its money gate answers."""

from sekisho.web.members.gate_answers import GateAnswers

GATE_ANSWERS = GateAnswers("wallet/held.html", "/")
