"""Official attribute editors: the architectures, written anew from their papers, that take the users' own checkpoints.

One module each. A checkpoint is read without running code, after its size; it must fit the architecture key by key, or
it is refused. What a module could not hold against a genuine file, its docstring says.
"""
