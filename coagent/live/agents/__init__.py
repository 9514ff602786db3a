"""Agents that a language model drives: what they are asked, what they answer, and what that costs.

Nothing here knows a session, a target or a protocol.
"""
