"""Every file of ``NAME.run``: what it is called, who writes it, in what form, and how others read it.

``run_directory`` is the directory as the fit holds it, ``checkpoint`` the chain in it, ``cluster_directory``
one start of a cluster; ``status`` reads all of it without changing anything.
"""
