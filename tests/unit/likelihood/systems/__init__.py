"""Systems that between them have every generality that ESPEI's databases and data have."""

from unit.likelihood.systems.al_cu_y import AL_CU_Y
from unit.likelihood.systems.al_fe import AL_FE
from unit.likelihood.systems.al_ni import AL_NI
from unit.likelihood.systems.al_zn import AL_ZN
from unit.likelihood.systems.cr_fe import CR_FE
from unit.likelihood.systems.cr_fe_nb import CR_FE_NB
from unit.likelihood.systems.cu_o import CU_O
from unit.likelihood.systems.system import System

SYSTEMS = [AL_CU_Y, AL_FE, AL_NI, AL_ZN, CR_FE, CR_FE_NB, CU_O]

__all__ = ["SYSTEMS", "System"]
