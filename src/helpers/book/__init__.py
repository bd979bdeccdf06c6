"""What only the book's pages need: its data, their truth, figures, studies and failures."""
