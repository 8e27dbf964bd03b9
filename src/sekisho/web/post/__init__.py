"""The demo's handset, mailbox and letter box in the browser; no part of any service."""
