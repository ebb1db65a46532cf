"""A demonstration made of real data, only through actions."""
