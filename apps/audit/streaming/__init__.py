"""Sending the sealed trail to other systems, in the order of the tree.

Only what a checkpoint covers leaves, each event at least once, and a target that does
not answer is asked again for ever: nothing is left out, and nobody else waits for it.
"""
