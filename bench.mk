# Benchmarks. Included by the Makefile.
#
# make bench                   all parts, about two hours on two idle cores
# make bench PARTS='c d'       only these parts: a real fits, b scale, c bytes written, d start, e memory,
#                              f likelihood, g scale with the prepared likelihood, h samplers
# make compare                 the same ranks started by e4s-cl, a few minutes; needs the images, and the network

PARTS ?=

.PHONY: bench compare

# The hash seed decides in which order ESPEI sums, and so the last digits. Every fit has 0.
bench: tested ## run the benchmarks; write bench/results.json, results.md and scale.png
	PYTHONHASHSEED=0 PYTHONPATH=$(CURDIR)/tests $(bin)/python bench/run.py $(PARTS)

compare: tested ## start ranks with e4s-cl and espei-hpc; write docs/e4s-cl.md
	PYTHONPATH=bench $(bin)/python -m beside_e4s_cl
