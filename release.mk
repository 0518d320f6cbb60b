# What a release consists of, in dist/. Included by the Makefile after images.mk, whose variables count here too.
#
# make wheel      dist/espei_hpc-VERSION-py3-none-any.whl
# make release    the wheel, and for each variant espei-hpc-VERSION-VARIANT.sif and its bill of materials
#                 (.cdx.json), images.txt with the images' ids, and SHA256SUMS of it all
#
# The images themselves stay with the engine, under $(IMAGE):VARIANT: `podman push` takes them to a registry.
# A release is made of what is checked out: commit before.
#
# SOURCE_DATE_EPOCH  seconds since 1970 that files are dated with [default: of the last commit]
#
# What comes out again. The wheel, byte for byte, whoever builds it wherever (tests/native/test_release.py). Of the
# images every layer, and so the id, where podman or buildah builds the same commit on the same base image while apt
# offers the same versions: files are dated SOURCE_DATE_EPOCH, byte code has its source's hash for a date. Seen with
# the variant none, built twice without a cache by podman 4.3 from two checkouts. What differs sooner or later: Debian's
# security updates come out, and old versions leave its archive; who wants an image again keeps it. Docker dates
# files by its own clock. A SIF has an identifier and a date of its own, a bill a serial number and a date.

# Without git 1980, before which no zip file, so no wheel, knows a date.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),315532800)

dated_podman = --timestamp $(SOURCE_DATE_EPOCH)
dated_buildah = $(dated_podman)
release_name = dist/espei-hpc-$(package_version)
release_parts := $(addprefix release-,$(image_variants))

.PHONY: wheel release $(release_parts)

wheel: $(ENVIRONMENT)/.locked ## build the wheel, in dist/, the same bytes wherever it is built
	mkdir -p dist
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(bin)/python -m pip wheel --quiet --no-index --no-deps \
		--no-build-isolation --wheel-dir dist .

release: wheel $(release_parts) ## build the wheel, all images, their SIFs and bills of materials, and SHA256SUMS
	cd dist && cat $(image_variants:%=image-%.txt) >images.txt && rm $(image_variants:%=image-%.txt)
	cd dist && sha256sum -- *$(package_version)* images.txt >SHA256SUMS

$(release_parts): release-%: wheel
	$(MAKE) sif sbom MPI=$* IMAGE_BUILD_ARGS='$(IMAGE_BUILD_ARGS) $(dated_$(notdir $(ENGINE)))'
	cp build/espei-$*.sif $(release_name)-$*.sif
	cp build/espei-$*.cdx.json $(release_name)-$*.cdx.json
	$(ENGINE) image inspect --format '$(IMAGE):$* {{.Id}}' $(IMAGE):$* >dist/image-$*.txt
