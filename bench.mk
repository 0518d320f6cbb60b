# Measuring. Included by the Makefile.
#
# make bench                   all parts, some 30 minutes on two cores that do nothing else
# make bench PARTS='c d'       these alone: a real fits, b scale, c bytes written, d start, e memory

PARTS ?=

.PHONY: bench

bench: environment ## measure, and write bench/results.json, results.md and scale.png
	$(bin)/python bench/run.py $(PARTS)
