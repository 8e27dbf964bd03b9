"""The bank's pages, its authorisation server for links, and its debit interface."""
