"""Messages to people: text messages, mails and letters, each sent once and none lost."""
