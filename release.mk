# Build a release in dist/. Included by the Makefile after images.mk; its variables apply here too.
#
# make wheel      dist/espei_hpc-VERSION-py3-none-any.whl, without the compiled kernel: for every platform
# make release    the wheel, and for each variant espei-hpc-VERSION-VARIANT.sif and its bill of materials
#                 (.cdx.json), images.txt with the images' ids, and SHA256SUMS of all files, also of wheels with
#                 the kernel that are in dist/ already
# cibuildwheel --output-dir dist   wheels with the kernel for Linux and each Python, as pyproject.toml says; cibuildwheel is
#                 not in the lock, needs docker or podman, and runs in the workflow of a release
#
# The images stay in the engine's storage as $(IMAGE):VARIANT: `podman push` uploads them to a registry.
# A release is built from the working tree: commit before.
#
# SOURCE_DATE_EPOCH  time stamp of files, seconds since 1970 [default: that of the last commit]
#
# Reproducible: the wheel, byte for byte, on any machine (tests/native/test_release.py). The layers and the id of an
# image, if podman or buildah builds the same commit on the same base image while apt offers the same versions: files
# have the date SOURCE_DATE_EPOCH, and byte code is validated by its source's hash. Verified with the variant none, built
# twice without a cache by podman 4.3 from two checkouts. Not reproducible: Debian's security updates replace old
# versions in its archive, so keep an image that you may need again. Docker uses its own clock for dates of files.
# A SIF has a unique identifier and a date, a bill of materials a serial number and a date.

# Without git 1980, the earliest date in a zip file, and so in a wheel.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),315532800)

dated_podman = --timestamp $(SOURCE_DATE_EPOCH)
dated_buildah = $(dated_podman)
release_name = dist/espei-hpc-$(package_version)
release_parts := $(addprefix release-,$(image_variants))

.PHONY: wheel release $(release_parts)

wheel: $(ENVIRONMENT)/.locked ## build the wheel without the kernel in dist/, reproducible byte for byte
	mkdir -p dist
	ESPEI_HPC_COMPILED=no SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(bin)/python -m pip wheel --quiet --no-index --no-deps \
		--no-build-isolation --wheel-dir dist .

release: wheel $(release_parts) ## build the wheel, all images, their SIFs and bills of materials, and SHA256SUMS
	cd dist && cat $(image_variants:%=image-%.txt) >images.txt && rm $(image_variants:%=image-%.txt)
	cd dist && sha256sum -- *$(package_version)* images.txt >SHA256SUMS

$(release_parts): release-%: wheel
	$(MAKE) sif sbom MPI=$* IMAGE_BUILD_ARGS='$(IMAGE_BUILD_ARGS) $(dated_$(notdir $(ENGINE)))'
	cp build/espei-$*.sif $(release_name)-$*.sif
	cp build/espei-$*.cdx.json $(release_name)-$*.cdx.json
	$(ENGINE) image inspect --format '$(IMAGE):$* {{.Id}}' $(IMAGE):$* >dist/image-$*.txt
