"""The wallet's pages and the shop's."""
