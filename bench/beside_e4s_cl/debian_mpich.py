"""e4s-cl's own test program, told the name that Debian gave to MPICH's library."""

from e4s_cl.scripts import e4s_cl_mpi_tester as tester  # type: ignore[import-not-found]

tester.SONAMES.insert(0, ("libmpich.so.12", tester.bind_mpich))
tester.main()
