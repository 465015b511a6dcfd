"""What a session keeps and knows by itself: failures and fixes, memories that helped, what it had learnt when left."""
