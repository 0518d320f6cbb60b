# Measuring. Included by the Makefile.
#
# make bench                   all parts, some 50 minutes on two cores that do nothing else
# make bench PARTS='c d'       these alone: a real fits, b scale, c bytes written, d start, e memory,
#                              f likelihood, g scale with the prepared likelihood
# make compare                 the same ranks started by e4s-cl, a few minutes; needs the images, and the network

PARTS ?=

.PHONY: bench compare

bench: tested ## measure, and write bench/results.json, results.md and scale.png
	PYTHONPATH=$(CURDIR)/tests $(bin)/python bench/run.py $(PARTS)

compare: tested ## start ranks by e4s-cl and by espei-hpc, and write docs/e4s-cl.md
	PYTHONPATH=bench $(bin)/python -m beside_e4s_cl
