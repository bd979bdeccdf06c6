"""Helpers of the book: data, models, diagnostics, tables, figures and the flip-book.

Imports go one way: data <- models <- diagnostics <- tables <- plots, flipbook. Import the module that
you need, for example ``from helpers import data, models``.
"""
