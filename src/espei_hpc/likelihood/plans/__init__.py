"""Units of the likelihood, prepared once and evaluated again and again, with the bits of ESPEI's own.

Each plan is built by upstream's own code at some parameters, which are nothing special: only
what does not depend on parameters is kept.
"""
