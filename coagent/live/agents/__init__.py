"""Agents that a language model drives: what they are asked, what they answer, and what that costs.

Only `worker` and `team` know a live run; nothing here knows a target or a protocol.
"""
