"""What a session learns by itself: failures, fixes and useful memories; also when it is resumed."""
