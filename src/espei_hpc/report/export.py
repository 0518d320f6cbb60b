"""Export of the chain for other programs, as ArviZ' InferenceData in a netCDF-4 file."""

from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.report import quiet_arviz
from espei_hpc.report.samples import Samples
from espei_hpc.rundir.files import READABLE, new_file, reason

ENDING = ".nc"


def export(samples: Samples, path: Path) -> None:
    """Write a chain: one variable for each symbol, walkers as chains, iterations as draws.

    Args:
        samples: the whole chain.
        path: the file, written atomically.

    Raises:
        Refusal: (USAGE) if the name does not end in .nc; (CANNOT_CREATE) if the file cannot be written.
    """
    if path.suffix != ENDING:
        fault = Fault(
            str(path), f"the name of a netCDF file must end in {ENDING}", f"use {path.stem}{ENDING}"
        )
        raise Refusal(ExitCode.USAGE, [fault])
    arviz = quiet_arviz.arviz()
    fingerprint = {f"fingerprint: {name}": mark for name, mark in samples.record.fingerprint.items()}
    data = arviz.from_dict(
        posterior={name: samples.positions[:, :, index] for index, name in enumerate(samples.symbols)},
        sample_stats={"lp": samples.log_probabilities},
        attrs={
            "inference_library": "espei",
            "inference_library_version": samples.record.fingerprint.get("version of espei", ""),
            "espei_hpc_version": samples.record.version,
            **fingerprint,
        },
    )
    try:
        with new_file(path, lambda file: data.to_netcdf(file.name, engine="h5netcdf"), READABLE) as temporary:
            temporary.rename(path)
    except OSError as error:
        fault = Fault(str(path), f"cannot be written ({reason(error)})", "use another file")
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error
