"""Images: what they consist of, and the places on this machine that hold them."""
