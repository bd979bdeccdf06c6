"""Helpers of the book; import the module that you need: ``from helpers import frames, models``.

What you take home knows any table: imports go one way, frames <- reading <- priors <- exact <- models
<- fits, diagnostics <- tables <- plots <- flipbook <- own <- report. Behind them stand ``book``,
what only the pages need, and ``exercises``; ``workshop`` tells whether a machine is ready, and stores
posteriors for slow ones.
"""
