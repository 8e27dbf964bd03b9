"""Attackers of the range, each as its literature describes it and none written for our guard."""
