"""What only the pages of the book need: its data and their truth, its figures, studies and failures."""
