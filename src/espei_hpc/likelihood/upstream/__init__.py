"""Every name of ESPEI, emcee and pycalphad that we rely on although they do not promise to keep it."""
