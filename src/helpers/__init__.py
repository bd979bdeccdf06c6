"""Helpers of the book; import the module that you need: ``from helpers import data, models``.

Imports go one way: data <- specification <- gaussian <- exact <- models <- diagnostics <- tables <-
plots, widgets <- flipbook. Beside them stand loo (on exact), fits (on models), calibration (beside
diagnostics), failures, selfcheck <- answers (on exact), precomputed, and setup_check, which imports nothing
of the others, so that it can say what is wrong with them.
"""
