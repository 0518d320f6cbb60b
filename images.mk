# Build the images, with podman, docker or buildah. Included by the Makefile.
#
# make image MPI=both          localhost/espei-hpc:both
# make sif MPI=both            build/espei-both.sif, from an archive of that image; without an engine by Apptainer alone
# make sbom MPI=both           build/espei-both.cdx.json, the bill of materials of that image (podman or docker)
# make sign MPI=both           sign build/espei-both.sif
#
# MPI               both, openmpi, mpich, or none (for a host's MPI bound into the container)
# ENGINE            podman, docker or buildah [default: the first found]
# APPTAINER         apptainer or singularity [default: the first found]
# IMAGE             name of the image [default: localhost/espei-hpc]
# IMAGE_BUILD_ARGS  further arguments for the engine's build, such as --build-arg BASE=… or --secret id=ca.crt,src=…
# KEY               private key (PEM) that signs [default: the user's own PGP key of `apptainer key`]
# SIF_BUILD_ARGS    further arguments for `apptainer build`

MPI ?= both
IMAGE ?= localhost/espei-hpc
first_found = $(firstword $(foreach program,$(1),$(if $(shell command -v $(program)),$(program))))
ENGINE ?= $(call first_found,podman docker buildah)
APPTAINER ?= $(call first_found,apptainer singularity)
IMAGE_BUILD_ARGS ?=
SIF_BUILD_ARGS ?=
KEY ?=

# Docker before 23 builds without BuildKit unless it is told, and the Containerfile has its --mount.
export DOCKER_BUILDKIT ?= 1

image_variants := both openmpi mpich none
image_archive = build/espei-$(MPI).tar
sif = build/espei-$(MPI).sif
package_version = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
source_revision = $(shell git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo unknown)

# An archive of the image in a format that the engine can write and Apptainer can read.
save_podman = podman save --quiet --format oci-archive --output $(image_archive) $(IMAGE):$(MPI)
save_docker = docker save --output $(image_archive) $(IMAGE):$(MPI)
save_buildah = buildah push --quiet $(IMAGE):$(MPI) oci-archive:$(image_archive)
archive_kind = $(if $(filter docker,$(ENGINE)),docker-archive,oci-archive)
from_archive = --build-arg kind=$(archive_kind) --build-arg archive=$(image_archive) $(sif) image/from-archive.def
# zstd: 17 s instead of 8 minutes with gzip, for 4 % more size. Kernels before 4.14 cannot mount it.
squashfs_args := -comp zstd -Xcompression-level 3

.PHONY: image sif sbom sign check-mpi

check-mpi:
	@$(if $(filter $(image_variants),$(MPI)),:,$(error MPI=$(MPI): choose one of $(image_variants)))

image: check-mpi ## build the container image; MPI=both|openmpi|mpich|none
	$(if $(ENGINE),,$(error none of podman, docker and buildah is found: install one, or set ENGINE=))
	$(ENGINE) build --file Containerfile --tag $(IMAGE):$(MPI) --build-arg MPI=$(MPI) \
		--build-arg VERSION=$(package_version) --build-arg REVISION=$(source_revision) $(IMAGE_BUILD_ARGS) .

sif: check-mpi $(if $(ENGINE),image) ## build the Apptainer image build/espei-MPI.sif
	$(if $(APPTAINER),,$(error neither apptainer nor singularity is found: install one, or set APPTAINER=))
	mkdir -p build
	$(if $(ENGINE),rm -f $(image_archive) && $(save_$(notdir $(ENGINE))))
	$(APPTAINER) build --force --mksquashfs-args '$(squashfs_args)' $(SIF_BUILD_ARGS) \
		$(if $(ENGINE),$(from_archive),--build-arg mpi=$(MPI) $(sif) apptainer.def)
	rm -f $(image_archive)

sbom: tested image ## write the image's bill of materials (CycloneDX), build/espei-MPI.cdx.json
	$(bin)/python supply/sbom.py $(ENGINE) $(IMAGE):$(MPI) build/espei-$(MPI).cdx.json

sign: check-mpi ## sign the Apptainer image with KEY=private.pem [default: your PGP key]
	$(APPTAINER) sign $(if $(KEY),--key $(KEY)) $(sif)
