"""What each letter says, without a word of formatting: answers to mail, and letters of our own."""
