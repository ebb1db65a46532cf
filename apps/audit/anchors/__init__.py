"""Places outside the portal that keep what was signed, so that nobody can unsign it.

`anchor` says what they share, `addresses` reads the setting, one module each speaks to
one kind of place; `outbox` remembers what is due, `publisher` works it off beside the
sealer, `guard` keeps the sealer from signing what contradicts them, `standing` says how
they are.
"""
