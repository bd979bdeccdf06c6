"""Helpers of the book; import the module that you need: ``from helpers import data, models``.

Imports go one way: data <- specification <- gaussian <- exact <- models <- diagnostics <- tables <-
plots, widgets <- flipbook. Beside them stand loo (on exact), fits (on models), calibration (beside
diagnostics) and failures.
"""
