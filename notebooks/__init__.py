"""Eleven questions, each answered in a notebook: py:percent text here, and the `.ipynb` that is made from it.

`coagent lab` opens a copy of them. The folder `histories` holds what `06_reading_a_verdict` reads.
"""
