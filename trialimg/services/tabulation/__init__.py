"""Tables as pure data: specified once, from numbers that were estimated elsewhere, and written in any format."""
