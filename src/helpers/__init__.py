"""Helpers of the book; import the module that you need: ``from helpers import data, models``.

Imports go one way: data <- specification <- exact <- models <- diagnostics <- tables <- plots <-
flipbook; calibration stands beside diagnostics.
"""
